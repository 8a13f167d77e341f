using System.Globalization;
using System.Text.Json;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>What one round of a race measured, the programs one after the other on the same machine.</summary>
/// <param name="Ours">JepaSharp.</param>
/// <param name="Libtorch">JepaSharp with its kernels off; null where not asked for.</param>
/// <param name="PeerSeconds">The peer's median step.</param>
/// <param name="PeerFastest">The peer's fastest step.</param>
/// <param name="PeerMegabytes">The peer's peak resident memory.</param>
/// <param name="LibraryRate">GFLOP/s of libtorch's matrix product.</param>
/// <param name="TileRate">GFLOP/s of JepaSharp's tiles.</param>
internal sealed record RaceRound(
    StepMeasure Ours, StepMeasure? Libtorch, double PeerSeconds, double PeerFastest, double PeerMegabytes, double LibraryRate, double TileRate);

/// <summary>Times JepaSharp's training step and the peer's in turn, and writes the table of ratios.</summary>
internal static class StepRace
{
    private static readonly string[] Known = ["peer", "shape", "precision", "rounds", "steps", "attention", "libtorch", "out"];

    public static int Run(IReadOnlyList<string> words)
    {
        var arguments = new StepArguments(words, Known);
        var peer = arguments.Text("peer", "");
        if (peer.Length == 0)
            throw new JepaException(
                "race-step needs --peer \"COMMAND PREFIX\", the program to race, as in \"python3 ijepa_step.py\".", isUsage: true);
        var chosen = arguments.Text("shape", "all");
        var precision = arguments.Text("precision", "bf16");
        var table = new RaceTable();
        foreach (var name in chosen == "all" ? StepShape.Raced : [chosen])
        {
            var rounds = new List<RaceRound>();
            for (var round = 1; round <= arguments.Number("rounds", 3); round++)
            {
                rounds.Add(Round(name, precision, peer, arguments));
                Console.Error.WriteLine(RaceTable.Line(StepShape.Named(name), round, rounds[^1]));
            }

            table.Add(StepShape.Named(name), precision, rounds);
        }

        var text = table.ToString();
        Console.WriteLine(text + "Counted operations:\n\n```\n" + CountedStep.Formula + "\n```");
        if (arguments.Flag("out")) File.AppendAllText(arguments.Text("out", ""), text);
        return 0;
    }

    /// <summary>Prints the machine's rates as a line of JSON.</summary>
    public static int Rates(IReadOnlyList<string> words)
    {
        var (library, tiles) = ProductRates.Measure(new StepArguments(words, "precision").Precision);
        Console.WriteLine(JsonSerializer.Serialize(new[] { library, double.IsNaN(tiles) ? library : tiles }));
        return 0;
    }

    private static RaceRound Round(string name, string precision, string peer, StepArguments arguments)
    {
        var steps = arguments.Number("steps", 6);
        var ours = $"step --shape {name} --precision {precision} --steps {steps}";
        var theirs = string.Create(
            CultureInfo.InvariantCulture,
            $"{peer} {StepShape.Named(name).PeerArguments(name)} --precision {precision} --attention {arguments.Text("attention", "naive")} --fused "
                + $"--steps {steps}");
        var our = Measure(ChildProcess.Self(ours));
        using var line = JsonDocument.Parse(ChildProcess.Command(theirs));
        var libtorch = arguments.Flag("libtorch") ? Measure(ChildProcess.Self(ours, kernels: false)) : null;
        var rates = JsonSerializer.Deserialize<double[]>(ChildProcess.Self($"rates --precision {precision}"))!;
        var root = line.RootElement;
        double Value(string key) => root.GetProperty(key).GetDouble();
        return new RaceRound(our, libtorch, Value("seconds_per_step"), Value("min_step"), Value("peak_rss_mb"), rates[0], rates[1]);
    }

    private static StepMeasure Measure(string line) => JsonSerializer.Deserialize<StepMeasure>(line)!;
}
