using System.Globalization;
using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>The results of races, as Markdown.</summary>
internal sealed class RaceTable
{
    private readonly StringBuilder _speed = new();
    private readonly StringBuilder _share = new();
    private readonly StringBuilder _phases = new();
    private readonly StringBuilder _libtorch = new();

    /// <summary>One round, for people who wait.</summary>
    public static string Line(StepShape shape, int round, RaceRound r) => string.Create(CultureInfo.InvariantCulture,
        $"{shape.Name}, round {round}: {r.Ours.Seconds:F3} s, the peer {r.PeerSeconds:F3} s: {r.PeerSeconds / r.Ours.Seconds:F2}x; "
            + $"{r.LibraryRate:F0} and {r.TileRate:F0} GFLOP/s");

    /// <summary>Adds a shape's rounds.</summary>
    public void Add(StepShape shape, string precision, IReadOnlyList<RaceRound> rounds)
    {
        double Middle(Func<RaceRound, double> of) => Median.Of(rounds.Select(of));
        var ratios = rounds.Select(r => r.PeerSeconds / r.Ours.Seconds).ToList();
        var name = $"{shape.Name}, {precision}";
        _speed.AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {shape.Batch / Middle(r => r.Ours.Seconds):F1} | {shape.Batch / Middle(r => r.PeerSeconds):F1} | "
                + $"**{Median.Of(ratios):F2}** ({ratios.Min():F2} to {ratios.Max():F2}) | {rounds.Min(r => r.Ours.Steps.Min()):F3} | "
                + $"{rounds.Min(r => r.PeerFastest):F3} | {rounds.Min(r => r.PeerFastest) / rounds.Min(r => r.Ours.Steps.Min()):F2} | "
                + $"{Middle(r => r.Ours.PeakMegabytes):F0} | {Middle(r => r.PeerMegabytes):F0} | "
                + $"{Middle(r => r.Ours.PeakMegabytes / r.PeerMegabytes):F2} |"));

        var operations = CountedStep.Of(shape);
        string Share(Func<RaceRound, double> seconds, Func<RaceRound, double> rate) =>
            Text($"{100 * Middle(r => operations.Total / 1e9 / seconds(r) / rate(r)):F0} %");
        _share.AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {operations.Total / 1e9:F0} | {Middle(r => operations.Total / 1e9 / r.Ours.Seconds):F0} | {Middle(r => r.LibraryRate):F0} "
                + $"| {Share(r => r.Ours.Seconds, r => r.LibraryRate)} | {Middle(r => r.TileRate):F0} | "
                + $"{Share(r => r.Ours.Seconds, r => r.TileRate)} | {Share(r => r.PeerSeconds, r => r.LibraryRate)} |"));

        var phases =
            rounds[0].Ours.Phases.Keys.Select(phase => Text($"{phase} {100 * Middle(r => r.Ours.Phases[phase] / r.Ours.Phases.Values.Sum()):F0} %"));
        _phases.AppendLine(Text($"| {name} | {Middle(r => r.Ours.Seconds):F3} | {string.Join(", ", phases)} |"));
        if (rounds.All(r => r.Libtorch is not null))
        {
            _libtorch.AppendLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {Middle(r => r.Libtorch!.Seconds):F3} | {Middle(r => r.Ours.Seconds):F3} | "
                    + $"{Middle(r => r.Libtorch!.Seconds / r.Ours.Seconds):F2} | {Middle(r => r.PeerSeconds / r.Libtorch!.Seconds):F2} | "
                    + $"{Middle(r => r.Libtorch!.PeakMegabytes):F0} |"));
        }
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var processor = Processor.Detect();
        var memory = MachineMemory.Detect().TotalBytes / (double)(1 << 30);
        var text = new StringBuilder();
        text.AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"{processor.Model}, {processor.UsableCores} cores, {memory:F0} GiB, {string.Join(", ", processor.Instructions)}; "
            + $"{DateTime.UtcNow:yyyy-MM-dd}. Medians over the rounds; ratios are paired, round by round; the fastest steps are of all rounds.\n"));
        text.AppendLine("| shape | images/s | peer | ratio (least to most) | fastest step, s | peer's | ratio | peak MiB | peer | ratio "
            + "|\n|---|---|---|---|---|---|---|---|---|---|");
        text.Append(_speed).AppendLine();
        text.AppendLine("| shape | GFLOP a step | GFLOP/s reached | libtorch's matrix product | share of it | our tiles | share of them | peer's "
            + "share of libtorch's |\n|---|---|---|---|---|---|---|---|");
        text.Append(_share).AppendLine();
        text.AppendLine("| shape | seconds a step | where they go |\n|---|---|---|");
        text.Append(_phases);
        if (_libtorch.Length > 0)
        {
            text.AppendLine("\nBefore the kernels (`JEPASHARP_KERNELS=off`: libtorch's operators), in the same rounds:\n");
            text.AppendLine("| shape | seconds before | now | before / now | peer / before | peak MiB before |\n|---|---|---|---|---|---|");
            text.Append(_libtorch);
        }

        return text.AppendLine().ToString();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
