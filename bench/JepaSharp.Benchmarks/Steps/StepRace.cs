using System.Globalization;
using System.Text.Json;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>What a peer measured of its steps.</summary>
/// <param name="Precision">bf16 or fp32.</param>
/// <param name="Seconds">Median step.</param>
/// <param name="Fastest">Fastest step.</param>
/// <param name="Megabytes">Peak resident memory.</param>
internal sealed record PeerMeasure(string Precision, double Seconds, double Fastest, double Megabytes);

/// <summary>What one round of a race measured, the programs one after the other on the same machine.</summary>
/// <param name="Ours">JepaSharp.</param>
/// <param name="Libtorch">JepaSharp with its kernels off: libtorch's own operators.</param>
/// <param name="Peers">The peer, in each precision that it was raced in.</param>
/// <param name="LibraryRate">GFLOP/s of libtorch's matrix product.</param>
/// <param name="TileRate">GFLOP/s of JepaSharp's tiles.</param>
internal sealed record RaceRound(StepMeasure Ours, StepMeasure Libtorch, IReadOnlyList<PeerMeasure> Peers, double LibraryRate, double TileRate)
{
    /// <summary>The peer in the precision that it is faster in.</summary>
    public PeerMeasure Peer => Peers.MinBy(p => p.Seconds)!;
}

/// <summary>Times JepaSharp's training step and its peers' in turn, and writes the table of ratios.</summary>
internal static class StepRace
{
    private const double Slower = 1.5, Hopeless = 3;

    private static readonly string[] Known = ["peer", "shape", "precision", "rounds", "steps", "attention", "out"];

    public static int Run(IReadOnlyList<string> words)
    {
        var arguments = new StepArguments(words, Known);
        var peer = arguments.Text("peer", "");
        if (peer.Length == 0)
            throw new JepaException(
                "race-step needs --peer \"COMMAND PREFIX\", the program to race, as in \"python3 ijepa_step.py\".", isUsage: true);
        var chosen = arguments.Text("shape", "all");
        var table = new RaceTable();
        foreach (var name in chosen == "all" ? StepShape.Raced : [chosen])
        {
            var rounds = new List<RaceRound>();
            IReadOnlyList<string> precisions = BrainFloatsAreHopeless() ? ["fp32"] : ["fp32", "bf16"];
            for (var round = 1; round <= arguments.Number("rounds", 3); round++)
            {
                rounds.Add(Round(name, peer, precisions, arguments));
                Console.Error.WriteLine(RaceTable.Line(StepShape.Named(name), round, rounds[^1]));
                // One that is much slower than the other in the first round is not raced again.
                precisions = [.. rounds[0].Peers.Where(p => p.Seconds < Slower * rounds[0].Peer.Seconds).Select(p => p.Precision)];
            }

            table.Add(StepShape.Named(name), rounds);
        }

        var text = table.ToString();
        Console.WriteLine(text + "Counted operations:\n\n```\n" + CountedStep.Formula + "\n```");
        if (arguments.Flag("out")) File.AppendAllText(arguments.Text("out", ""), text);
        return 0;
    }

    /// <summary>Prints the machine's rates as a line of JSON.</summary>
    public static int Rates(IReadOnlyList<string> words)
    {
        var (library, tiles) = ProductRates.Measure(new StepArguments(words, "precision").Computation(StepShape.Named("small").Encoder));
        Console.WriteLine(JsonSerializer.Serialize(new[] { library, tiles }));
        return 0;
    }

    /// <summary>Without instructions for bfloat16 libtorch multiplies it many times slower than float32, and a step of the peer takes
    /// minutes.</summary>
    private static bool BrainFloatsAreHopeless()
    {
        var (fp32, bf16) = (Rate("libtorch-fp32"), Rate("libtorch-bf16"));
        if (fp32 < Hopeless * bf16) return false;
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"libtorch multiplies fp32 at {fp32:F0} GFLOP/s and bf16 at {bf16:F0}: the peer is raced in fp32 alone"));
        return true;

        static double Rate(string key) => JsonSerializer.Deserialize<double[]>(ChildProcess.Self($"rates --precision {key}"))![0];
    }

    private static RaceRound Round(string name, string peer, IReadOnlyList<string> precisions, StepArguments arguments)
    {
        var steps = arguments.Number("steps", 6);
        string Step(string precision) => $"step --shape {name} --precision {precision} --steps {steps}";
        var ours = Measure(ChildProcess.Self(Step(arguments.Text("precision", "auto"))));
        var peers = precisions.Select(precision => Peer(name, peer, precision, arguments.Text("attention", "naive"), steps)).ToList();
        var libtorch = Measure(ChildProcess.Self(Step("auto"), kernels: false));
        var rates = JsonSerializer.Deserialize<double[]>(ChildProcess.Self($"rates --precision {ours.Computation}"))!;
        return new RaceRound(ours, libtorch, peers, rates[0], rates[1]);
    }

    private static PeerMeasure Peer(string name, string peer, string precision, string attention, int steps)
    {
        using var line = JsonDocument.Parse(ChildProcess.Command(string.Create(CultureInfo.InvariantCulture,
            $"{peer} {StepShape.Named(name).PeerArguments(name)} --precision {precision} --attention {attention} --fused --steps {steps}")));
        double Value(string key) => line.RootElement.GetProperty(key).GetDouble();
        return new PeerMeasure(precision, Value("seconds_per_step"), Value("min_step"), Value("peak_rss_mb"));
    }

    private static StepMeasure Measure(string line) => JsonSerializer.Deserialize<StepMeasure>(line)!;
}
