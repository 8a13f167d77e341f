namespace JepaSharp.Data;

/// <summary>A batch of crops ready for a training step or a feature pass: plain memory, no tensors.</summary>
/// <param name="Count">B.</param>
/// <param name="Height">H in pixels.</param>
/// <param name="Width">W in pixels.</param>
/// <param name="Pixels">uint8 [B, H, W, 3], RGB.</param>
/// <param name="Indices">[B], index of each image in its source.</param>
public sealed record ImageBatch(int Count, int Height, int Width, byte[] Pixels, int[] Indices);
