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

    /// <summary>One round, for people who wait.</summary>
    public static string Line(StepShape shape, int round, RaceRound r)
    {
        var peers = string.Join(", ", r.Peers.Select(p => Text($"{p.Seconds:F3} s in {p.Precision}")));
        return Text($"{shape.Name}, round {round}: {r.Ours.Seconds:F3} s ({r.Ours.Computation}), the peer {peers}: ")
            + Text($"{r.Peer.Seconds / r.Ours.Seconds:F2}x; libtorch {r.Libtorch.Seconds:F3} s ({r.Libtorch.Computation}): ")
            + Text($"{r.Libtorch.Seconds / r.Ours.Seconds:F2}x; {r.LibraryRate:F0} and {r.TileRate:F0} GFLOP/s");
    }

    /// <summary>Adds a shape's rounds.</summary>
    public void Add(StepShape shape, IReadOnlyList<RaceRound> rounds)
    {
        double Middle(Func<RaceRound, double> of) => Median.Of(rounds.Select(of));
        string Ratio(Func<RaceRound, double> of)
        {
            var ratios = rounds.Select(of).ToList();
            return Text($"**{Median.Of(ratios):F2}** ({ratios.Min():F2} to {ratios.Max():F2})");
        }

        var name = $"{shape.Name}, {rounds[0].Ours.Computation}";
        var peers = rounds.SelectMany(r => r.Peers).GroupBy(p => p.Precision)
            .Select(g => Text($"{shape.Batch / Median.Of(g.Select(p => p.Seconds)):F1} {g.Key}{(g.Count() < rounds.Count ? " (one round)" : "")}"));
        _speed.AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {shape.Batch / Middle(r => r.Ours.Seconds):F1} | {string.Join("; ", peers)} | "
                + $"{Ratio(r => r.Peer.Seconds / r.Ours.Seconds)} | "
                + $"{rounds.Min(r => r.Peer.Fastest) / rounds.Min(r => r.Ours.Steps.Min()):F2} | "
                + $"{shape.Batch / Middle(r => r.Libtorch.Seconds):F1} {rounds[0].Libtorch.Computation} | "
                + $"{Ratio(r => r.Libtorch.Seconds / r.Ours.Seconds)} | "
                + $"{Middle(r => r.Ours.PeakMegabytes):F0} | {Middle(r => r.Peer.Megabytes):F0} | "
                + $"{Middle(r => r.Ours.PeakMegabytes / r.Peer.Megabytes):F2} |"));

        var operations = CountedStep.Of(shape);
        string Share(Func<RaceRound, double> seconds, Func<RaceRound, double> rate) =>
            Text($"{100 * Middle(r => operations.Total / 1e9 / seconds(r) / rate(r)):F0} %");
        _share.AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {operations.Total / 1e9:F0} | {Middle(r => operations.Total / 1e9 / r.Ours.Seconds):F0} | {Middle(r => r.LibraryRate):F0} "
                + $"| {Share(r => r.Ours.Seconds, r => r.LibraryRate)} | {Middle(r => r.TileRate):F0} | "
                + $"{Share(r => r.Ours.Seconds, r => r.TileRate)} | {Share(r => r.Peer.Seconds, r => r.LibraryRate)} |"));

        var phases =
            rounds[0].Ours.Phases.Keys.Select(phase => Text($"{phase} {100 * Middle(r => r.Ours.Phases[phase] / r.Ours.Phases.Values.Sum()):F0} %"));
        _phases.AppendLine(Text($"| {name} | {Middle(r => r.Ours.Seconds):F3} | {string.Join(", ", phases)} |"));
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
        text.AppendLine("| shape, computed in | images/s | peer | faster than the peer (least to most) | by fastest steps | libtorch's operators "
            + "| faster than those | peak MiB | peer's | ratio |\n|---|---|---|---|---|---|---|---|---|---|");
        text.Append(_speed).AppendLine();
        text.AppendLine("| shape | GFLOP a step | GFLOP/s reached | libtorch's matrix product | share of it | our tiles | share of them | peer's "
            + "share of libtorch's |\n|---|---|---|---|---|---|---|---|");
        text.Append(_share).AppendLine();
        text.AppendLine("| shape | seconds a step | where they go |\n|---|---|---|");
        text.Append(_phases);
        return text.AppendLine().ToString();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
