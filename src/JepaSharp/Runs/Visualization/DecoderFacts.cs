using System.Globalization;
using System.Text.Json;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Runs.Visualization;

/// <summary>What the decoders of a folder are of: <c>decoders.json</c>. Whoever comes back has to mean the same.</summary>
/// <param name="Fingerprint">Of the three frozen networks.</param>
/// <param name="Weights">What they were called.</param>
/// <param name="Image">Side of the images that the encoder sees, in pixels.</param>
/// <param name="Patch">Side of its patches, in pixels.</param>
/// <param name="Size">S: side of what is drawn.</param>
/// <param name="Images">The images that decoders learn from, and how many.</param>
/// <param name="Pairs">Pairs of a block and what is said of it that they learn from.</param>
/// <param name="Steps">Steps that each decoder takes; null before that was timed.</param>
/// <param name="Seed">Of blocks, weights and noise.</param>
internal sealed record DecoderFacts(
    string Fingerprint, string Weights, int Image, int Patch, int Size, string Images, int Pairs, int? Steps, int Seed)
{
    private const string FileName = "decoders.json";
    private const int Shown = 12;

    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true };

    /// <summary>What a folder's decoders are of; null where there are none.</summary>
    /// <exception cref="JepaException">The file cannot be read.</exception>
    public static DecoderFacts? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize<DecoderFacts>(File.ReadAllBytes(path))
                ?? throw new JsonException("there is nothing in it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new JepaException(
                $"{path}, which says what the decoders beside it are of, cannot be read: {e.Message} Remove the folder to train them anew, or give "
                    + "another --out.", inner: e);
        }
    }

    /// <summary>Writes it.</summary>
    public void Write(string folder) =>
        DurableFile.Write(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, Layout));

    /// <summary>Refuses to go on with decoders of something else.</summary>
    /// <param name="now">What is asked for now.</param>
    /// <param name="folder">Where the decoders are.</param>
    /// <exception cref="JepaException">They are of another encoder, other images or another size.</exception>
    public void RequireSame(DecoderFacts now, string folder)
    {
        string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
        var difference =
            (Image, Patch) != (now.Image, now.Patch)
                ? Text($"an encoder of {Image} pixels in patches of {Patch}, and these weights have {now.Image} in patches of {now.Patch}")
            : Fingerprint != now.Fingerprint
                ? $"other networks: the fingerprint of {Weights} was {Fingerprint[..Shown]}..., and that of {now.Weights} is "
                    + $"{now.Fingerprint[..Shown]}..."
            : Size != now.Size ? Text($"pictures of {Size} pixels, and {now.Size} are asked for (--size)")
            : Images != now.Images ? $"other images: {Images}, and now {now.Images} (--data)"
            : Seed != now.Seed ? Text($"another seed: {Seed}, and now {now.Seed} (--seed)")
            : null;
        if (difference is null) return;
        throw new JepaException($"The decoders in {folder} are of {difference}. Give another --out, or what they were trained for.", isUsage: true);
    }
}
