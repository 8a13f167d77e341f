using System.Diagnostics;
using System.Globalization;
using JepaSharp.Benchmarks.Steps;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks;

/// <summary>Times two whole commands in turn, from start to exit. <c>{}</c> in a command stands for the number of the round.</summary>
internal static class CommandRace
{
    public static int Run(IReadOnlyList<string> words)
    {
        var arguments = new StepArguments(words, "ours", "peer", "rounds", "name", "images");
        var (ours, peer) = (arguments.Text("ours", ""), arguments.Text("peer", ""));
        if (ours.Length == 0 || peer.Length == 0)
            throw new JepaException("race-commands needs --ours \"COMMAND\" and --peer \"COMMAND\".", isUsage: true);
        var rounds =
            Enumerable.Range(1, arguments.Number("rounds", 3)).Select(round => (Ours: Seconds(ours, round), Peer: Seconds(peer, round))).ToList();
        var ratios = rounds.Select(r => r.Peer / r.Ours).ToList();
        double images = arguments.Number("images", 0), our = Median.Of(rounds.Select(r => r.Ours)), their = Median.Of(rounds.Select(r => r.Peer));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {arguments.Text("name", "")} | {our:F2} | {their:F2} | {images / our:F1} | {images / their:F1} | **{Median.Of(ratios):F2}** "
                + $"({ratios.Min():F2} to {ratios.Max():F2}) |"));
        return 0;
    }

    private static double Seconds(string command, int round)
    {
        var start = Stopwatch.GetTimestamp();
        ChildProcess.Command(command.Replace("{}", round.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
