namespace JepaSharp.Evaluation.Heads;

/// <summary>How a head was fitted and what it is worth on images that neither fitted nor chose.</summary>
public sealed record HeadReport
{
    /// <summary>How the labelled images were divided, a sentence.</summary>
    public required string Division { get; init; }

    /// <summary>Images that the head as it is kept was fitted on.</summary>
    public required int Fitted { get; init; }

    /// <summary>Images on which kind, temperature and the threshold of "unsure" (of numbers: the range) were chosen, by heads that were fitted
    /// without them; they are among <see cref="Fitted"/>.</summary>
    public required int Chose { get; init; }

    /// <summary>Images that the head was scored on, and which took no other part.</summary>
    public required int Scored { get; init; }

    /// <summary>Every kind that was tried.</summary>
    public required IReadOnlyList<HeadTrial> Tried { get; init; }

    /// <summary>Settings of the head that is kept, chosen inside the images that it was fitted on.</summary>
    public IReadOnlyDictionary<string, double> Settings { get; init; } = new Dictionary<string, double>();

    /// <summary>Of a head of classes, on the images scored.</summary>
    public ClassReport? OfClasses { get; init; }

    /// <summary>Of a head of numbers, on the images scored.</summary>
    public NumberReport? OfNumbers { get; init; }
}

/// <summary>A kind of head that was tried.</summary>
/// <param name="Kind">One of <see cref="HeadKinds"/>.</param>
/// <param name="HeldOut">Accuracy on the images that choose, or R2 of numbers.</param>
/// <param name="LogLoss">Mean -ln of the true class's probability there, at the temperature that suits it best; null for numbers.</param>
public sealed record HeadTrial(string Kind, double HeldOut, double? LogLoss);

/// <summary>What a head of classes is worth.</summary>
/// <param name="Accuracy">Share of labels that are right, 0 to 1.</param>
/// <param name="MeanPerClassAccuracy">Mean over the classes of each one's share.</param>
/// <param name="Before">Calibration with the outputs as they are.</param>
/// <param name="After">Calibration with the outputs divided by the temperature.</param>
/// <param name="Unsure">Share of images that are "unsure".</param>
/// <param name="SureAccuracy">Share of labels that are right among the others; NaN where there are none.</param>
/// <param name="MistakesUnsure">Share of the wrong labels that are among the "unsure"; NaN where none is wrong.</param>
public sealed record ClassReport(
    double Accuracy, double MeanPerClassAccuracy, CalibrationScore Before, CalibrationScore After, double Unsure, double SureAccuracy,
    double MistakesUnsure)
{
    /// <summary>Share that would be right if every image got the class that is most frequent among those fitted on; null where an earlier version
    /// did not say it.</summary>
    public double? MostFrequent { get; init; }
}

/// <summary>What a head of numbers is worth.</summary>
/// <param name="R2">1 - squared error / variance of the truth.</param>
/// <param name="MeanAbsoluteError">In the number's unit.</param>
/// <param name="RootMeanSquareError">In the number's unit.</param>
/// <param name="RoundedAccuracy">Share of images whose rounded number is the rounded truth.</param>
/// <param name="Inside">Share of true numbers within the range, which is meant to hold nine of ten.</param>
public sealed record NumberReport(double R2, double MeanAbsoluteError, double RootMeanSquareError, double RoundedAccuracy, double Inside);
