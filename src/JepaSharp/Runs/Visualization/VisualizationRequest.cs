using JepaSharp.Data.Sources;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>What is to be drawn, from what, and how long a decoder may learn.</summary>
public sealed record VisualizationRequest
{
    /// <summary>Weights of an I-JEPA: a run, or a published checkpoint.</summary>
    public required string Weights { get; init; }

    /// <summary>Attention heads of its encoder, where the file does not tell.</summary>
    public int? Heads { get; init; }

    /// <summary>The images: decoders learn from some of them. The caller keeps it.</summary>
    public required ImageSource Source { get; init; }

    /// <summary>What they are called.</summary>
    public required string Data { get; init; }

    /// <summary>Images to draw, which decoders do not learn from; null to hold some of the others out. The caller keeps it.</summary>
    public ImageSource? Test { get; init; }

    /// <summary>Where decoders, pictures and page are kept; null for a place beside the weights.</summary>
    public string? Folder { get; init; }

    /// <summary>Minutes that each decoder learns. 30.</summary>
    public double Minutes { get; init; } = 30;

    /// <summary>Side of what is drawn, in pixels. 32.</summary>
    public int Size { get; init; } = 32;

    /// <summary>Images in the figure. 8.</summary>
    public int Images { get; init; } = 8;

    /// <summary>S: pictures drawn from each representation. 4.</summary>
    public int Samples { get; init; } = 4;

    /// <summary>N: blocks that claims are measured over; null to measure none.</summary>
    public int? Blocks { get; init; }

    /// <summary>Of blocks, weights and noise.</summary>
    public int Seed { get; init; }

    /// <summary>Where to compute; null for the CPU.</summary>
    public Device? Device { get; init; }
}

/// <summary>Is told how a visualization goes.</summary>
public interface IVisualizationListener
{
    /// <summary>A sentence for the person watching.</summary>
    void Say(string text);

    /// <summary>Something with a known number of things begins.</summary>
    /// <param name="doing">What: "drawing".</param>
    /// <param name="things">To what: "pictures".</param>
    /// <param name="total">How many.</param>
    /// <returns>Is told how many are done; disposed of at the end where it can be.</returns>
    IProgress<int> Begin(string doing, string things, int total);

    /// <summary>A decoder begins to learn.</summary>
    /// <param name="doing">Of whose words.</param>
    ITrainingObserver Training(string doing);
}

/// <summary>What a visualization wrote.</summary>
/// <param name="Page">The page.</param>
/// <param name="Figure">The figure, a PNG.</param>
/// <param name="Numbers">What was measured, JSON.</param>
/// <param name="Said">What the numbers say, a sentence each.</param>
public sealed record VisualizationResult(string Page, string Figure, string Numbers, IReadOnlyList<string> Said);
