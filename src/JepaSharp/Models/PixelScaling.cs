using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Turns a batch of bytes into the normalised floats that a network sees, on the network's device.</summary>
/// <remarks>(x / 255 - mean) / deviation for each channel, as one multiplication and one addition.</remarks>
public sealed class PixelScaling : IDisposable
{
    private readonly Device _device;
    private readonly Tensor _scale;
    private readonly Tensor _shift;

    /// <summary>A scaling for a device.</summary>
    /// <param name="mean">Mean of each channel, of values in [0, 1].</param>
    /// <param name="deviation">Deviation of each channel, of values in [0, 1].</param>
    /// <param name="device">Where the networks are.</param>
    public PixelScaling(ReadOnlySpan<double> mean, ReadOnlySpan<double> deviation, Device device)
    {
        using var scope = NewDisposeScope();
        var (scale, shift) = (new float[mean.Length], new float[mean.Length]);
        for (var c = 0; c < mean.Length; c++)
        {
            scale[c] = (float)(1 / (255 * deviation[c]));
            shift[c] = (float)(-mean[c] / deviation[c]);
        }

        _device = device;
        _scale = tensor(scale, device: device).DetachFromDisposeScope();
        _shift = tensor(shift, device: device).DetachFromDisposeScope();
    }

    /// <summary>uint8 [B, H, W, 3] -> float32 [B, 3, H, W]. The bytes are copied before this returns.</summary>
    public Tensor ToImages(ImageBatch batch)
    {
        using var scope = NewDisposeScope();
        var bytes = empty([batch.Count, batch.Height, batch.Width, 3], uint8, CPU);
        batch.Pixels.AsSpan(0, checked(batch.Count * batch.Height * batch.Width * 3)).CopyTo(bytes.bytes);
        // From pinned memory the copy to a GPU runs while the host goes on; bytes travel, and become floats there.
        var there = _device.type == DeviceType.CUDA ? bytes.pin_memory().to(_device, non_blocking: true) : bytes;
        return _shift.AddProduct(there.to(float32), _scale).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    /// <summary>One view of a batch: uint8 crops -> float32 [V B, 3, S, S], the first crop of every image, then the second. The bytes are copied
    /// before this returns.</summary>
    public Tensor ToImages(ViewBytes bytes, View view)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(view);
        if (bytes.Views is [{ Count: 1 }]) return ToImages(bytes.Single());
        var (side, stride, start) = (view.Transform.CropSize, bytes.BytesPerImage, bytes.StartOf(view));
        var crop = side * side * 3;
        var pixels = GC.AllocateUninitializedArray<byte>(checked(view.Count * bytes.Count * crop));
        for (var c = 0; c < view.Count; c++)
        {
            for (var i = 0; i < bytes.Count; i++)
                bytes.Pixels.AsSpan((i * stride) + start + (c * crop), crop).CopyTo(pixels.AsSpan(((c * bytes.Count) + i) * crop, crop));
        }

        return ToImages(new ImageBatch(view.Count * bytes.Count, side, side, pixels, bytes.Indices));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scale.Dispose();
        _shift.Dispose();
    }
}
