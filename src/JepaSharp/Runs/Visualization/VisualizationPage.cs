using System.Globalization;
using System.Text;
using System.Text.Json;
using JepaSharp.Data;
using JepaSharp.Evaluation.Drawing;
using JepaSharp.Objectives;
using JepaSharp.Pictures;
using JepaSharp.Reports;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>What was drawn and measured, as a page, a PNG and numbers.</summary>
/// <param name="visualization">Whose.</param>
/// <param name="request">What was asked for.</param>
/// <param name="jepa">The frozen networks.</param>
/// <param name="facts">What the decoders are of.</param>
internal sealed class VisualizationPage(
    PredictorVisualization visualization, VisualizationRequest request, FrozenJepa jepa, DecoderFacts facts)
{
    private const double Clearly = 2;
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;
    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true };

    /// <summary>Of each decoder, what it loses when it is told of another block, by bands of steps.</summary>
    public Dictionary<BlockSource, IReadOnlyList<ConditionGain>> Gains { get; } = [];

    /// <summary>Of each source, pictures of each shown image: [S, 3, size, size].</summary>
    public Dictionary<BlockSource, IReadOnlyList<Tensor>> Drawn { get; } = [];

    /// <summary>What was measured.</summary>
    public List<SourceMeasures> Measures { get; } = [];

    /// <summary>Writes all of it.</summary>
    public VisualizationResult Write(PreparedBlocks tested)
    {
        var (columns, rows) = Rows(tested);
        var figure = Path.Combine(visualization.Folder, "figure.png");
        var (page, numbers) = (Path.Combine(visualization.Folder, "report.html"), Path.Combine(visualization.Folder, "measures.json"));
        WriteFile(figure, DrawingSheet.Draw([.. columns.Select(c => (c.Title, c.Note))], [.. rows.Select(r => r.Pictures)]).ToPng());
        var said = Said(tested).ToList();
        WriteFile(numbers, JsonSerializer.SerializeToUtf8Bytes(Numbers(tested), Layout));
        var content = new DrawingPageContent(
            "What the predictor knows",
            $"Blocks drawn from what {jepa.Name} says of them, where they lie: I-JEPA, figure 6. What several pictures of a row have in common is in "
                + "the representation; what differs is not. The images are the first by name (of labelled ones the first of each class in turn), and "
                + "nobody chose among them.",
            Facts(tested), [.. columns.Select(c => $"{c.Title} ({c.Note})")], rows)
        {
            Notes = [.. said.Select(s => (s.Text, s.IsWarning))],
            Tables = [.. Tables(tested)],
            Maps = [.. Measures.Select(m => ($"{PredictorVisualization.TitleOf(m.Source)}: {Number(m.Spread.Share)} over all", DrawingSheet.Map(m.Spread.Map)))],
        };
        WriteFile(page, Encoding.UTF8.GetBytes(DrawingPage.Of(content)));
        return new VisualizationResult(page, figure, numbers, [.. said.Select(s => s.Text)]);
    }

    private static void WriteFile(string path, byte[] bytes) => DurableFile.Write(path, stream => stream.Write(bytes));

    private (List<(string Title, string Note)> Columns, List<(string Name, IReadOnlyList<RgbImage> Pictures)> Rows) Rows(PreparedBlocks tested)
    {
        List<(string, string)> columns = [("image", "as it is"), ("context", "what is seen"), ("block", "what is asked")];
        foreach (var (who, pictures) in Drawn)
        {
            var title = who == BlockSource.Predictor ? "predictor" : "target";
            columns.AddRange(Enumerable.Range(1, (int)pictures[0].shape[0]).Select(
                s => ($"{title} {s.ToString(CultureInfo.InvariantCulture)}", who == BlockSource.Predictor ? "from its output" : "from its own")));
        }

        var rows = new List<(string, IReadOnlyList<RgbImage>)>();
        for (var i = 0; i < Drawn.First().Value.Count; i++)
        {
            var shown = tested.Shown[i];
            List<RgbImage> pictures =
            [
                DrawingSheet.Faded(shown.Image, shown.Grid, null), DrawingSheet.Faded(shown.Image, shown.Grid, shown.Seen),
                DrawingSheet.Block(shown.Image, shown.Grid, shown.Block),
            ];
            foreach (var drawn in Drawn.Values)
                pictures.AddRange(PictureBytes.Images(drawn[i]).Select(d => DrawingSheet.Pasted(shown.Image, shown.Grid, shown.Seen, shown.Block, d)));
            rows.Add((shown.Name, pictures));
        }

        return (columns, rows);
    }

    private IReadOnlyList<(string Name, string Value)> Facts(PreparedBlocks tested) =>
    [
        ("encoder's fingerprint", facts.Fingerprint[..12]),
        ("blocks learned from", facts.Pairs.ToString("n0", CultureInfo.InvariantCulture)),
        ("steps of each decoder", $"{facts.Steps:n0}"),
        ("pictures", string.Create(Plain, $"{request.Size} pixels a side")),
        ("blocks held out", tested.Count.ToString("n0", CultureInfo.InvariantCulture)),
    ];

    /// <summary>What the numbers say.</summary>
    private IEnumerable<(string Text, bool IsWarning)> Said(PreparedBlocks tested)
    {
        if (Gains.TryGetValue(BlockSource.Predictor, out var gains))
        {
            var all = gains[^1];
            yield return all.Gain > Clearly * all.Error
                ? (string.Create(Plain, $"The decoder uses what the predictor says: told of another block, its held-out loss is {all.Gain:0.0000} ± {all.Error:0.0000} "
                    + $"higher ({all.Own:0.0000} with the block's own)."), false)
                : (string.Create(Plain, $"The decoder hardly uses what the predictor says: told of another block, its held-out loss changes by {all.Gain:0.0000} ± "
                    + $"{all.Error:0.0000}. No picture can show anything then: give it longer (--minutes), or more images."), true);
        }

        if (Claim() is not { } claim) yield break;
        var untrained = Of(BlockSource.Untrained);
        yield return claim.Mean > Clearly * claim.Error
            ? (string.Create(Plain, $"The predictor says something of the block that the context alone does not: its pictures agree with the true block by "
                + $"{claim.Mean:0.000} ± {claim.Error:0.000} more than pictures of what it says of another block ({tested.Count:n0} blocks, paired)."), false)
            : (string.Create(Plain, $"It cannot be told whether the predictor says anything of the block that the context alone does not: {claim.Mean:0.000} ± "
                + $"{claim.Error:0.000} ({tested.Count:n0} blocks, paired). {Fault()}"), true);
        if (untrained is not null)
        {
            var (predictor, gap) = (Of(BlockSource.Predictor)!, Paired(BlockSource.Predictor, BlockSource.Untrained));
            yield return (string.Create(Plain, $"An untrained predictor agrees by {untrained.Correlation.Mean:0.000} ± {untrained.Correlation.Error:0.000}, the trained by "
                + $"{predictor.Correlation.Mean:0.000} ± {predictor.Correlation.Error:0.000}: {gap.Mean:0.000} ± {gap.Error:0.000} more."), false);
        }
    }

    /// <summary>Which part is likelier at fault where a claim fails.</summary>
    private string Fault()
    {
        var (target, predictor) = (Of(BlockSource.Target), Of(BlockSource.Predictor));
        if (target is null || predictor is null) return "";
        if (target.Correlation.Mean <= Clearly * target.Correlation.Error)
            return "Neither does what the target encoder says of the block itself: decoder or encoder is at fault. A longer training of the decoder tells.";
        return target.Correlation.Mean > predictor.Correlation.Mean + (Clearly * target.Correlation.Error)
            ? "The target encoder's own words are drawn better, so the decoder can: the predictor is at fault."
            : "Its pictures are as good as those from the target encoder's own words: context and block say the same here.";
    }

    private IEnumerable<DrawingTable> Tables(PreparedBlocks tested)
    {
        if (Measures.Count > 0)
        {
            yield return new DrawingTable(
                "Agreement with the true block",
                string.Create(Plain, $"d: agreement of pictures with the true block, less that of pictures of other blocks, a mean over {tested.Count:n0} blocks, one "
                    + $"an image, with its standard error; {request.Samples} pictures each, from the same noises. Correlation is of pixels, less the "
                    + $"mean block; cosine of what random filters find. First: how often the true block agrees best among all {tested.Count:n0} "
                    + $"(chance {1.0 / tested.Count:0.000}). Varies: share of the variance that is left within a representation. The other block of "
                    + $"the second row shares {tested.Overlap:0.00} of the first on average."),
                ["drawn from what is said by", "d, correlation", "p", "d, cosine", "first", "varies", "decoder"],
                [.. Measures.Select(Row), Shuffled(tested)]);
            yield return new DrawingTable(
                "Paired differences",
                "Of d by correlation, block by block. The first is the claim: what the predictor says of this block, beyond what the context gives.",
                ["difference", "mean", "standard error"],
                [.. Differences().Select(d => (IReadOnlyList<string>)[d.Name, string.Create(Plain, $"{d.Value.Mean:0.0000}"), string.Create(Plain, $"{d.Value.Error:0.0000}")])]);
        }

        yield return new DrawingTable(
            "What decoders lose when told of another block",
            string.Create(Plain, $"Loss on {tested.Count:n0} blocks that no decoder learned from, with each block's own representation and with another's, at the same "
                + $"noise and steps; the difference is paired by block. No picture is drawn for it, and nothing tells sooner whether a representation "
                + $"is used."),
            ["decoder of", "steps", "own", "another's", "difference", "standard error"],
            [.. Gains.SelectMany(g => g.Value.Select((b, i) => (IReadOnlyList<string>)
                [
                    PredictorVisualization.TitleOf(g.Key), i == g.Value.Count - 1 ? "all" : string.Create(Plain, $"{b.First}-{b.Last}"), string.Create(Plain, $"{b.Own:0.0000}"),
                    string.Create(Plain, $"{b.Others:0.0000}"), string.Create(Plain, $"{b.Gain:0.0000}"), string.Create(Plain, $"{b.Error:0.0000}"),
                ]))]);
    }

    private IReadOnlyList<string> Row(SourceMeasures m) =>
    [
        PredictorVisualization.TitleOf(m.Source), string.Create(Plain, $"{m.Correlation.Mean:0.000} ± {m.Correlation.Error:0.000}"), string.Create(Plain, $"{m.Correlation.Chance:0.0000}"),
        string.Create(Plain, $"{m.Cosine.Mean:0.000} ± {m.Cosine.Error:0.000}"), string.Create(Plain, $"{m.Correlation.First:0.000}"), Number(m.Spread.Share),
        m.Source == BlockSource.WrongPosition ? "the predictor's" : "its own",
    ];

    /// <summary>The predictor's own pictures, each held against the block of the image after it: 0 but for chance.</summary>
    private IReadOnlyList<string> Shuffled(PreparedBlocks tested) => Of(BlockSource.Predictor)?.Shuffled is not { } shuffled
        ? ["", "", "", "", "", "", ""]
        : ["another image's block (0 but for chance)", string.Create(Plain, $"{shuffled.Mean:0.000} ± {shuffled.Error:0.000}"), "", "", "", "", "the predictor's"];

    private IEnumerable<(string Name, PairedMean Value)> Differences()
    {
        if (Claim() is { } claim) yield return ("predictor - another block (the claim)", claim);
        foreach (var (of, less, name) in ((BlockSource, BlockSource, string)[])[
            (BlockSource.Predictor, BlockSource.Context, "predictor - context alone"),
            (BlockSource.Predictor, BlockSource.Untrained, "predictor - untrained"),
            (BlockSource.Target, BlockSource.Predictor, "target encoder - predictor"),
            (BlockSource.WrongPosition, BlockSource.Context, "another block - context alone")])
        {
            if (Of(of) is not null && Of(less) is not null) yield return (name, Paired(of, less));
        }
    }

    private PairedMean? Claim() =>
        Of(BlockSource.Predictor) is null || Of(BlockSource.WrongPosition) is null ? null : Paired(BlockSource.Predictor, BlockSource.WrongPosition);

    private SourceMeasures? Of(BlockSource who) => Measures.Find(m => m.Source == who);

    private PairedMean Paired(BlockSource of, BlockSource less) => PairedMean.Of(Of(of)!.Correlation.Gains, Of(less)!.Correlation.Gains);

    private object Numbers(PreparedBlocks tested) => new
    {
        weights = jepa.Name,
        fingerprint = facts.Fingerprint,
        data = facts.Images,
        blocks_learned_from = facts.Pairs,
        steps = facts.Steps,
        size = facts.Size,
        samples = request.Samples,
        seed = facts.Seed,
        blocks = tested.Count,
        overlap_of_other_block = tested.Overlap,
        held_out_loss = Gains.ToDictionary(
            g => Key(g.Key), g => g.Value.Select(b => new { first = b.First, last = b.Last, own = b.Own, others = b.Others, gain = b.Gain, error = b.Error })),
        agreement = Measures.ToDictionary(m => Key(m.Source), m => new
        {
            correlation = One(m.Correlation),
            cosine = One(m.Cosine),
            varies = m.Spread.Share,
            varies_map = m.Spread.Map,
        }),
        paired = Differences().ToDictionary(d => d.Name, d => new { mean = d.Value.Mean, error = d.Value.Error }),
    };

    private static object One(DrawingAgreement a) =>
        new { own = a.Own, mean = a.Mean, error = a.Error, p = a.Chance, first = a.First, by_block = a.Gains };

    private static string Key(BlockSource who) => JsonNamingPolicy.SnakeCaseLower.ConvertName(who.ToString());

    private static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
