namespace JepaSharp.Configuration;

/// <summary>The encoders that <c>meta.model_name</c> may name; their sizes are in the models' presets.</summary>
public static class EncoderNames
{
    /// <summary>Smallest first.</summary>
    public static IReadOnlyList<string> All { get; } = ["vit_tiny", "vit_small", "vit_base", "vit_large", "vit_huge", "vit_giant"];
}
