using JepaSharp.Data.Sources;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>What is carried along with an image's embedding.</summary>
/// <param name="Name">The image's name in its source.</param>
/// <param name="Label">Index of its class; null without labels.</param>
/// <param name="Class">Name of its class; null without labels.</param>
internal readonly record struct EmbeddedImage(string Name, int? Label, string? Class)
{
    public static EmbeddedImage Of(ImageSource source, int index)
    {
        var label = source.LabelOf(index);
        return new EmbeddedImage(source.NameOf(index), label, label is { } l ? source.Classes[l] : null);
    }
}
