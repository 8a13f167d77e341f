using JepaSharp.Data.Sources;

namespace JepaSharp.Evaluation.Targets;

/// <summary>Images with a class each, for what is trained on pixels.</summary>
/// <param name="Source">The images; not owned.</param>
/// <param name="Labels">One an image, in 0 to <paramref name="Classes"/> - 1.</param>
/// <param name="Classes">Number of classes.</param>
public sealed record LabelledImages(ImageSource Source, int[] Labels, int Classes)
{
    /// <summary>The given images, in rising order.</summary>
    public LabelledImages Select(ReadOnlySpan<int> images)
    {
        var chosen = images.ToArray();
        Array.Sort(chosen);
        return new LabelledImages(new ChosenImages(Source, chosen), Array.ConvertAll(chosen, i => Labels[i]), Classes);
    }
}

/// <summary>Given images of a source that somebody else disposes of.</summary>
internal sealed class ChosenImages(ImageSource source, int[] chosen) : SourceView(source, chosen, ownsSource: false);
