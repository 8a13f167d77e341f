using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Runtime;

/// <summary>Copies from the host to the device that nobody waits for.</summary>
internal static class DeviceCopies
{
    /// <summary>Indices on a device: [n] int64. To a GPU from pinned memory, so that the copy runs while the host goes on.</summary>
    public static Tensor Upload(long[] indices, Device device)
    {
        using var scope = NewDisposeScope();
        var here = tensor(indices, device: CPU);
        return (device.type == DeviceType.CUDA ? here.pin_memory().to(device, non_blocking: true) : here.to(device)).MoveToOuterDisposeScope();
    }
}
