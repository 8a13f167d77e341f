using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Neighbours;

namespace JepaSharp.Cli.Verbs.Neighbours;

/// <summary>Everything a search works on.</summary>
/// <param name="Arguments">The command line.</param>
/// <param name="Terminal">For progress and notes.</param>
/// <param name="Stop">Stops between blocks.</param>
/// <param name="Input">Images and features.</param>
/// <param name="Vectors">The features, made comparable.</param>
/// <param name="MostCompared">Images up to which every pair is compared.</param>
internal sealed record NeighbourWork(
    ParseResult Arguments, Terminal Terminal, StopSignals Stop, NeighbourInput Input, UnitVectors Vectors, int MostCompared)
{
    public ImageSource Source => Input.Source;

    public PooledFeatures Features => Input.Features;

    /// <summary>Whether an image can be looked at, as far as that is known.</summary>
    public bool Has(int index) => Input.Embedded?.Has(index) ?? true;

    /// <summary>Runs something that reports images done.</summary>
    public T With<T>(string doing, int images, Func<IProgress<int>, T> work)
    {
        var progress = new RateProgress(Terminal, doing, "images", images, 0);
        try
        {
            return work(progress);
        }
        finally
        {
            progress.Finish();
        }
    }

    /// <summary>A search over the set, and how it is done, said.</summary>
    public NeighbourSearch Search() => Search(Vectors);

    /// <summary>A search over some of the set, and how it is done, said.</summary>
    public NeighbourSearch Search(UnitVectors vectors)
    {
        var search = vectors.Rows > MostCompared
            ? With("index", vectors.Rows, progress => NeighbourSearch.Over(vectors, progress, MostCompared, Stop.Token))
            : NeighbourSearch.Over(vectors, mostCompared: MostCompared, cancellation: Stop.Token);
        Terminal.Error.WriteLine($"neighbours: {search.Words}");
        return search;
    }
}
