namespace JepaSharp.Weights;

/// <summary>Weights under names with something in front: PyTorch Lightning's <c>model.</c>, DINO's <c>module.backbone.</c></summary>
internal static class PrefixedNames
{
    private const int MostShown = 4;
    private const string Mark = "patch_embed.proj.weight";
    private static readonly string[] Averages = ["teacher", "ema", "target", "momentum"];
    private static readonly string[] LightningKeys = ["hyper_parameters", "pytorch-lightning_version", "lightning_version", "callbacks", "loops"];

    /// <summary>Says what the names are and what to do; null where they are no network's that could be meant.</summary>
    /// <param name="path">The file.</param>
    /// <param name="names">Names of weights, as the file gives them.</param>
    /// <param name="inside">Keys of the dictionaries in which they lie, the outermost first; null for a file that is no checkpoint.</param>
    /// <param name="rootKeys">Keys of the outermost dictionary.</param>
    public static WeightsFileException? Explain(string path, IReadOnlyCollection<string> names, IReadOnlyList<string>? inside = null,
        IEnumerable<string>? rootKeys = null)
    {
        var prefixes = names.Where(n => n.EndsWith(Mark, StringComparison.Ordinal)).Select(PrefixOf).Where(p
            => p.Length > 0).Distinct(StringComparer.Ordinal).ToArray();
        if (prefixes.Length == 0) return null;
        var prefix = Array.Find(prefixes, p => Averages.Any(a => p.Contains(a, StringComparison.OrdinalIgnoreCase))) ?? prefixes[0];
        var shown = string.Join(" and ", prefixes.Take(MostShown).Select(p => $"'{SafetensorsHeader.Shown(p)}'"));
        var found = $"weights whose names begin with {shown}{Author(prefix, inside, rootKeys)}";
        return new WeightsFileException(path, found, $"names without it. Write them anew in Python: {Recipe(prefix, inside)}");
    }

    private static string Recipe(string prefix, IReadOnlyList<string>? inside)
    {
        var rename = $"{{k[{prefix.Length}:]: v for k, v in w.items() if k.startswith('{SafetensorsHeader.Shown(prefix)}')}}";
        return inside is null
            ? $"from safetensors.torch import load_file, save_file; w = load_file('OLD'); save_file({rename}, 'NEW.safetensors')"
            : $"import torch; w = torch.load('OLD', map_location='cpu'){string.Concat(inside.Select(k => $"['{SafetensorsHeader.Shown(k)}']"))}; "
                + $"torch.save({rename}, 'NEW.pth')";
    }

    private static string Author(string prefix, IReadOnlyList<string>? inside, IEnumerable<string>? rootKeys)
    {
        if (rootKeys is not null && LightningKeys.Intersect(rootKeys).Any()) return ", as PyTorch Lightning writes them";
        if (inside is ["teacher" or "student"] || prefix.Contains("backbone.", StringComparison.Ordinal)) return ", as DINO and programs after "
            + "it write them";
        return "";
    }

    /// <summary>What stands in front of an encoder's or of all networks' names: "model." of "model.target_encoder.patch_embed.proj.weight".</summary>
    private static string PrefixOf(string name)
    {
        var prefix = name[..^Mark.Length];
        foreach (var network in (string[])[NetworkNames.TargetEncoder, NetworkNames.ContextEncoder])
        {
            var known = network + ".";
            if (prefix == known) return "";
            if (prefix.EndsWith("." + known, StringComparison.Ordinal)) return prefix[..^known.Length];
        }

        return prefix;
    }
}
