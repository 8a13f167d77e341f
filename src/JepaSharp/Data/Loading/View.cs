using JepaSharp.Data.Cropping;

namespace JepaSharp.Data.Loading;

/// <summary>What the loader makes of an image for an objective: crops of one kind, each drawn anew.</summary>
/// <param name="Name">What the objective calls them, such as "image" or "global"; unique within an objective.</param>
/// <param name="Transform">How a crop is drawn, resized and changed.</param>
/// <param name="Count">V: how many are made of an image.</param>
public sealed record View(string Name, TrainingTransform Transform, int Count = 1)
{
    /// <summary>Bytes of one image's crops of this view: V S S 3.</summary>
    internal int Bytes => Count * Transform.CropSize * Transform.CropSize * 3;
}
