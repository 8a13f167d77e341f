namespace JepaSharp.Objectives;

/// <summary>Settings of <see cref="FineTuning"/>: those of MAE (He et al., 2022, appendix A.1, table 9), as far as they are offered here.</summary>
public sealed record FineTuneOptions
{
    /// <summary>Passes over the images.</summary>
    public int Epochs { get; init; } = 50;

    /// <summary>Passes in which the learning rate rises linearly from 0; a tenth of all at most.</summary>
    public double WarmupEpochs { get; init; } = 5;

    /// <summary>B, images a step; all, where there are fewer.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Batches a step, their gradients averaged.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>Peak learning rate of the last layer, for 256 images a step; scaled with their number.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Each layer's learning rate as a share of the next one's.</summary>
    public double LayerDecay { get; init; } = 0.75;

    /// <summary>Weight decay of matrices; biases and norms have none.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Largest L2 norm of the whole gradient; null for no clipping.</summary>
    public double? Clip { get; init; }

    /// <summary>Steps in a row that are skipped where loss or gradient is not finite, before the run stops.</summary>
    public int SkipNonFinite { get; init; }

    /// <summary>Label smoothing.</summary>
    public double Smoothing { get; init; } = 0.1;

    /// <summary>Alpha of mixup (Zhang et al., 2018); 0 for none.</summary>
    public double Mixup { get; init; } = 0.8;

    /// <summary>Alpha of CutMix (Yun et al., 2019); 0 for none. With both, each batch has one or the other, by even chance.</summary>
    public double CutMix { get; init; } = 1.0;

    /// <summary>Smallest share of an image's area that a crop takes.</summary>
    public double CropScale { get; init; } = 0.2;

    /// <summary>Mirror left and right by even chance.</summary>
    public bool Flip { get; init; } = true;

    /// <summary>Momentum of the average of weights that is scored; in the first steps (1 + t) / (10 + t), if that is less.</summary>
    public double Average { get; init; } = 0.999;

    /// <summary>Seed of everything random; 0 or more.</summary>
    public int Seed { get; init; }
}
