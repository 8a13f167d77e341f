using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>What encoder and predictor share in being built.</summary>
internal static class Positions
{
    /// <summary>The fixed table of an encoder's grid as a buffer [1, N, width]; shape alone on the meta device.</summary>
    /// <param name="encoder">Whose grid.</param>
    /// <param name="width">D, or the predictor's.</param>
    /// <param name="device">Where to.</param>
    /// <param name="classRow">A row of zeros first, for a class token (as in MAE): [1, N + 1, width].</param>
    public static Tensor Buffer(VisionTransformerShape encoder, int width, Device device, bool classRow = false)
    {
        long[] shape = [1, encoder.Patches + (classRow ? 1 : 0), width];
        if (device.type == DeviceType.META) return empty(shape, float32, device);
        var table = PositionTable.SineCosine(encoder.GridHeight, encoder.GridWidth, width);
        return tensor(classRow ? [.. new float[width], .. table] : table, shape, device: device);
    }

    /// <summary>Takes a new module's parameters and buffers out of the scope it was built in, so that they live as long as the module.</summary>
    public static void Detach(nn.Module module, DisposeScope scope)
    {
        foreach (var parameter in module.parameters()) scope.Detach(parameter);
        foreach (var buffer in module.buffers()) scope.Detach(buffer);
    }
}
