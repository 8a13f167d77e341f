using System.Globalization;
using JepaSharp.Evaluation.Drawing;
using JepaSharp.Reports;

namespace JepaSharp.Runs.Visualization;

/// <summary>What the numbers of a visualization say, in sentences and tables.</summary>
/// <param name="numbers">The numbers.</param>
/// <param name="tested">The blocks that they are of.</param>
/// <param name="samples">Pictures of each representation.</param>
internal sealed class VisualizationWords(VisualizationNumbers numbers, PreparedBlocks tested, int samples)
{
    /// <summary>Standard errors beyond which a difference is called one.</summary>
    private const double Clearly = 2;

    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>What a source is called in sentences.</summary>
    public static string TitleOf(BlockSource who) => who switch
    {
        BlockSource.Predictor => "the predictor",
        BlockSource.WrongPosition => "the predictor, asked about another block",
        BlockSource.Target => "the target encoder",
        BlockSource.Context => "the context encoder",
        _ => "an untrained predictor",
    };

    /// <summary>A number to three places.</summary>
    public static string Short(double value) => value.ToString("0.000", Plain);

    /// <summary>What is to be said, a sentence or two each, and whether it is a warning.</summary>
    public IEnumerable<(string Text, bool IsWarning)> Said()
    {
        if (numbers.Gains.TryGetValue(BlockSource.Predictor, out var gains))
        {
            var all = gains[^1];
            var gain = $"{Long(all.Gain)} ± {Long(all.Error)}";
            yield return all.Gain > Clearly * all.Error
                ? ($"The decoder uses what the predictor says: told of another block, its held-out loss is {gain} higher ({Long(all.Own)} with the "
                    + "block's own).", false)
                : ($"The decoder hardly uses what the predictor says: told of another block, its held-out loss changes by {gain}. No picture can "
                    + "show anything then: give it longer (--minutes), or more images.", true);
        }

        if (numbers.Claim is not { } claim) yield break;
        var paired = string.Create(Plain, $"{Both(claim)} ({tested.Count:n0} blocks, paired)");
        yield return claim.Mean > Clearly * claim.Error
            ? ("The predictor says something of the block that the context alone does not: its pictures agree with the true block more than pictures "
                + $"of what it says of another block, by {paired}.", false)
            : ($"It cannot be told whether the predictor says anything of the block that the context alone does not: {paired}. {Fault()}", true);
        if (numbers.Of(BlockSource.Untrained) is not { } untrained) yield break;
        var (trained, more) = (numbers.Of(BlockSource.Predictor)!, numbers.Paired(BlockSource.Predictor, BlockSource.Untrained)!.Value);
        // What an untrained one passes on is where the block lies.
        var byPlace = untrained.Correlation.Mean > Clearly * untrained.Correlation.Error
            && untrained.Correlation.Mean > trained.Correlation.Mean / 2
                ? " Most of it is told by where the block lies, then: in these images blocks at one place look alike." : "";
        yield return (
            $"An untrained predictor agrees by {Both(untrained.Correlation)}, the trained one by {Both(trained.Correlation)}, {Both(more)} more."
                + byPlace,
            !(more.Mean > Clearly * more.Error));
    }

    /// <summary>The page's tables.</summary>
    public IEnumerable<DrawingTable> Tables()
    {
        if (numbers.Measures.Count > 0)
        {
            yield return Agreement();
            yield return new DrawingTable(
                "Paired differences",
                "Of d by correlation, block by block. The first is the claim: what the predictor says of this block, beyond what the context gives.",
                ["difference", "mean", "standard error"],
                [.. numbers.Differences().Select(d => (IReadOnlyList<string>)[d.Name, Long(d.Value.Mean), Long(d.Value.Error)])]);
        }

        if (numbers.Read.Count > 0) yield return Reading();

        yield return new DrawingTable(
            "What decoders lose when told of another block",
            string.Create(Plain,
                $"Loss on {tested.Count:n0} blocks that no decoder learned from, with each block's own representation and with another's, at the ")
                + "same noise and steps; the difference is paired by block. No picture is drawn for it, and nothing tells sooner whether a "
                + "representation is used.",
            ["decoder of", "steps", "own", "another's", "difference", "standard error"],
            [.. numbers.Gains.SelectMany(g => g.Value.Select((b, i) => (IReadOnlyList<string>)
                [
                    TitleOf(g.Key), i == g.Value.Count - 1 ? "all" : string.Create(Plain, $"{b.First}-{b.Last}"), Long(b.Own), Long(b.Others),
                    Long(b.Gain), Long(b.Error),
                ]))]);
    }

    private static string Long(double value) => value.ToString("0.0000", Plain);

    private static string Both(PairedMean value) => $"{Short(value.Mean)} ± {Short(value.Error)}";

    private static string Both(DrawingAgreement value) => $"{Short(value.Mean)} ± {Short(value.Error)}";

    private DrawingTable Agreement()
    {
        IReadOnlyList<string> Row(SourceMeasures m) =>
        [
            TitleOf(m.Source), Both(m.Correlation), Long(m.Correlation.Chance), Both(m.Cosine), Short(m.Correlation.First), Short(m.Spread.Share),
            m.Source == BlockSource.WrongPosition ? "the predictor's" : "its own",
        ];
        List<IReadOnlyList<string>> rows = [.. numbers.Measures.Select(Row)];
        if (numbers.Of(BlockSource.Predictor) is { } predictor)
            rows.Add(["the predictor, of another image (0 but for chance)", Both(predictor.Shuffled), "", "", "", "", "the predictor's"]);
        return new DrawingTable(
            "Agreement with the true block",
            string.Create(Plain,
                $"d: agreement of pictures with the true block, less that of pictures of other blocks, a mean over {tested.Count:n0} blocks, one an "
                + $"image, with its standard error; {samples} pictures each, from the same noises. Correlation is of pixels, less the mean block; "
                + $"cosine of what random filters find. p: permutations of blocks that reach as much. First: how often the true block agrees best "
                + $"among all {tested.Count:n0} (chance {1.0 / tested.Count:0.000}). Varies: share of the variance left within a representation. "
                + $"The other block of the second row shares {tested.Overlap:0.00} of the first on average."),
            ["drawn from what is said by", "d, correlation", "p", "d, cosine", "first", "varies", "decoder"], rows);
    }

    private DrawingTable Reading()
    {
        List<string> questions = [.. numbers.ReadOfTheBlocks.Keys];
        IReadOnlyList<string> Row(string title, IReadOnlyDictionary<string, SceneAnswers> answers) =>
            [title, .. questions.Select(q => Short(answers[q].R2))];
        var beyond = numbers.ReadBeyondTheContext().ToDictionary(d => d.Question, d => d.Value);
        return new DrawingTable(
            "What can be read of scenes",
            "R2 of what a probe, fitted to true blocks of other images, reads from pictures: how many objects have their centre in the block, their "
                + "colour (red, green and blue) and their place in it, on average; the last two where there is an object. 1 is the truth, 0 what "
                + "the mean of all blocks would say. The last row is paired by block: what the predictor says of this block beyond what the context "
                + "gives.",
            ["read from", .. questions.Select(q => string.Create(Plain, $"{q}, {numbers.ReadOfTheBlocks[q].Count:n0} blocks"))],
            [
                Row("the true block (the most that this probe can)", numbers.ReadOfTheBlocks),
                .. numbers.Read.Select(r => Row(TitleOf(r.Key), r.Value)),
                ["predictor - another block", .. questions.Select(q => Both(beyond[q]))],
            ]);
    }

    /// <summary>Which part is likelier at fault where the claim fails.</summary>
    private string Fault()
    {
        if (numbers.Of(BlockSource.Target) is not { } target || numbers.Paired(BlockSource.Target, BlockSource.Predictor) is not { } less) return "";
        if (!(target.Correlation.Mean > Clearly * target.Correlation.Error))
            return "Neither do pictures of what the target encoder says of the block itself agree with it: decoder or encoder is at fault, and a "
                + "longer training of the decoder tells which.";
        return less.Mean > Clearly * less.Error
            ? "What the target encoder says of the block itself is drawn better, so the decoder can: the predictor is at fault."
            : "Its pictures are as good as those from the target encoder's own words: context and block say the same here.";
    }
}
