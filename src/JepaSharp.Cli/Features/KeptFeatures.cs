using JepaSharp.Cli.Display;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Features;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Cli.Features;

/// <summary>Makes features of images, or finds those that were kept; says what is made and which images cannot be read.</summary>
/// <param name="cache">Where features are kept; null for nowhere.</param>
/// <param name="terminal">For progress and notes.</param>
/// <param name="stop">Stops between batches.</param>
/// <param name="ranks">The processes that share the images; null for one alone.</param>
internal sealed class KeptFeatures(FeatureCache? cache, Terminal terminal, StopSignals stop, Collective? ranks = null)
{
    private readonly Collective _ranks = ranks ?? Collective.Alone;
    private readonly List<LeftOutImages> _leftOut = [];
    private FeatureCache? _cache = cache;

    /// <summary>The images that could not be read, a set each, said when they were found.</summary>
    public IReadOnlyList<LeftOutImages> LeftOut => _leftOut;

    /// <summary>Says that images could not be read, once, however often they are met.</summary>
    public void Say(LeftOutImages? images)
    {
        if (images is null || _leftOut.Exists(known => known.Sentence == images.Sentence)) return;
        _leftOut.Add(images);
        terminal.Error.WriteLine("note: " + images.Sentence);
    }

    /// <summary>Features of each kind: [n, D] of the images that can be read.</summary>
    /// <param name="kinds">What to take of each image.</param>
    /// <param name="source">The images.</param>
    /// <param name="address">Where they were opened.</param>
    /// <param name="set">What they are called, as "fit images".</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="batch">Images a pass.</param>
    /// <param name="number">What the other ranks know the set by.</param>
    public PooledFeatures[] Of(
        IReadOnlyList<ImageFeatures> kinds, ImageSource source, string address, string set, EvaluationTransform transform, int batch,
        byte number = 0)
    {
        var what = Quantity.Of(source.Count, set[..^1]); // "1 fit image"
        var data = DataFingerprint.Of(address, source);
        string[] keys = [.. kinds.Select(kind => FeatureCache.KeyOf(kind, transform, data))];
        var found = keys.Select(key => _cache?.Find(key)).ToArray();
        int[] missing = [.. Enumerable.Range(0, kinds.Count).Where(k => found[k] is null)];
        if (missing.Length == 0)
        {
            terminal.Error.WriteLine($"features of {what}: from {_cache!.Folder}");
            return Counted(found!);
        }

        terminal.Error.WriteLine($"features of {what}: {string.Join(", ", missing.Select(k => kinds[k].Name))}");
        var progress = new RateProgress(terminal, "features", "images", source.Count, 0);
        try
        {
            _ = _ranks.Share([number, .. missing.Select(k => (byte)k)]);
            var made = FrozenFeatures.Extract([.. missing.Select(k => kinds[k])], source, transform, batch, progress, _ranks, stop.Token);
            foreach (var (k, features) in missing.Zip(made)) found[k] = features;
        }
        finally
        {
            progress.Finish();
        }

        foreach (var k in missing) Keep(keys[k], found[k]!);
        return Counted(found!);

        PooledFeatures[] Counted(PooledFeatures[] features)
        {
            Say(LeftOutImages.Of(set, source, features[0].Indices));
            return features;
        }
    }

    /// <summary>Keeps features for the next time, which is a comfort: what stands in its way is said once, and the work goes on.</summary>
    private void Keep(string key, PooledFeatures features)
    {
        if (_cache is null) return;
        try
        {
            _cache.Keep(key, features);
        }
        catch (JepaException e)
        {
            terminal.Error.WriteLine(
                $"note: {e.Message} Features are not kept for next time; the result does not depend on it. Give another folder with --cache, or "
                    + $"--no-cache.");
            _cache = null;
        }
    }
}
