using System.Text.Json;
using JepaSharp.Evaluation.Drawing;
using JepaSharp.Objectives;

namespace JepaSharp.Runs.Visualization;

/// <summary>What was measured of decoders and of what they drew.</summary>
internal sealed class VisualizationNumbers
{
    /// <summary>Of each decoder, what it loses when it is told of another block, by bands of steps, and over all of them last.</summary>
    public Dictionary<BlockSource, IReadOnlyList<ConditionGain>> Gains { get; } = [];

    /// <summary>What was measured of pictures.</summary>
    public List<SourceMeasures> Measures { get; } = [];

    /// <summary>Of each source, what was read from its pictures of scenes, by question; nothing where the images are no scenes.</summary>
    public Dictionary<BlockSource, IReadOnlyDictionary<string, SceneAnswers>> Read { get; } = [];

    /// <summary>The same of the true blocks: what the probes can read at best.</summary>
    public IReadOnlyDictionary<string, SceneAnswers> ReadOfTheBlocks { get; set; } = new Dictionary<string, SceneAnswers>();

    /// <summary>How much nearer to the truth what is read from the predictor's pictures is than what is read from those of what it says of another
    /// block, by question: in R2, paired by block.</summary>
    public IEnumerable<(string Question, PairedMean Value)> ReadBeyondTheContext()
    {
        if (!Read.TryGetValue(BlockSource.Predictor, out var own) || !Read.TryGetValue(BlockSource.WrongPosition, out var other)) yield break;
        foreach (var (question, answers) in own) yield return (question, PairedMean.Of(other[question].Errors, answers.Errors));
    }

    /// <summary>How much more the predictor's pictures agree with the true block than those of what it says of another; null where it was not
    /// measured.</summary>
    public PairedMean? Claim => Paired(BlockSource.Predictor, BlockSource.WrongPosition);

    /// <summary>Of one source; null where it was not measured.</summary>
    public SourceMeasures? Of(BlockSource who) => Measures.Find(m => m.Source == who);

    /// <summary>Difference of two sources' agreement, block by block; null where one was not measured.</summary>
    public PairedMean? Paired(BlockSource of, BlockSource less) => Of(of) is { } more && Of(less) is { } other
        ? PairedMean.Of(more.Correlation.Gains, other.Correlation.Gains)
        : null;

    /// <summary>All differences that are worth a line.</summary>
    public IEnumerable<(string Name, PairedMean Value)> Differences()
    {
        foreach (var (of, less, name) in ((BlockSource, BlockSource, string)[])[
            (BlockSource.Predictor, BlockSource.WrongPosition, "predictor - another block (the claim)"),
            (BlockSource.Predictor, BlockSource.Context, "predictor - context alone"),
            (BlockSource.Predictor, BlockSource.Untrained, "predictor - untrained"),
            (BlockSource.Target, BlockSource.Predictor, "target encoder - predictor"),
            (BlockSource.WrongPosition, BlockSource.Context, "another block - context alone")])
        {
            if (Paired(of, less) is { } value) yield return (name, value);
        }
    }

    /// <summary>For a file.</summary>
    /// <param name="facts">What the decoders are of.</param>
    /// <param name="samples">Pictures of each representation.</param>
    /// <param name="tested">The blocks.</param>
    public object ForJson(DecoderFacts facts, int samples, PreparedBlocks tested) => new
    {
        weights = facts.Weights,
        fingerprint = facts.Fingerprint,
        data = facts.Images,
        blocks_learned_from = facts.Pairs,
        steps = facts.Steps,
        size = facts.Size,
        samples,
        seed = facts.Seed,
        blocks = tested.Count,
        overlap_of_other_block = tested.Overlap,
        held_out_loss = Gains.ToDictionary(g => Key(g.Key), g => g.Value.Select(b =>
            new { first = b.First, last = b.Last, own = b.Own, others = b.Others, gain = b.Gain, error = b.Error })),
        agreement = Measures.ToDictionary(m => Key(m.Source), m => new
        {
            correlation = ForJson(m.Correlation),
            cosine = ForJson(m.Cosine),
            shuffled = new { mean = m.Shuffled.Mean, error = m.Shuffled.Error },
            varies = m.Spread.Share,
            varies_map = m.Spread.Map,
        }),
        paired = Differences().ToDictionary(d => d.Name, d => new { mean = d.Value.Mean, error = d.Value.Error }),
        read_from_scenes = Read.Count == 0 ? null : new
        {
            blocks = ReadOfTheBlocks.ToDictionary(q => q.Key, q => q.Value.Count),
            r2_of_true_blocks = ReadOfTheBlocks.ToDictionary(q => q.Key, q => q.Value.R2),
            r2 = Read.ToDictionary(r => Key(r.Key), r => r.Value.ToDictionary(q => q.Key, q => q.Value.R2)),
            beyond_the_context = ReadBeyondTheContext().ToDictionary(d => d.Question, d => new { mean = d.Value.Mean, error = d.Value.Error }),
        },
    };

    private static object ForJson(DrawingAgreement a) =>
        new { own = a.Own, mean = a.Mean, error = a.Error, p = a.Chance, first = a.First, by_block = a.Gains };

    private static string Key(BlockSource who) => JsonNamingPolicy.SnakeCaseLower.ConvertName(who.ToString());
}
