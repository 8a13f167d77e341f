using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>What encoder and predictor share in being built.</summary>
internal static class Positions
{
    /// <summary>The fixed table of an encoder's grid as a buffer [1, N, width]; shape alone on the meta device.</summary>
    public static Tensor Buffer(VisionTransformerShape encoder, int width, Device device) =>
        device.type == DeviceType.META
            ? empty([1, encoder.Patches, width], float32, device)
            : tensor(PositionTable.SineCosine(encoder.GridHeight, encoder.GridWidth, width), [1, encoder.Patches, width], device: device);

    /// <summary>Takes a new module's parameters and buffers out of the scope it was built in, so that they live as long as the module.</summary>
    public static void Detach(nn.Module module, DisposeScope scope)
    {
        foreach (var parameter in module.parameters()) scope.Detach(parameter);
        foreach (var buffer in module.buffers()) scope.Detach(buffer);
    }
}
