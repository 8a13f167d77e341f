namespace JepaSharp.Weights;

/// <summary>The names of networks in files of weights: what a weight's name begins with, up to the first dot. I-JEPA's and MAE's are known; files of
/// ours name their own.</summary>
public static class NetworkNames
{
    /// <summary>I-JEPA's context encoder, trained by gradients: names <c>encoder.*</c>.</summary>
    public const string ContextEncoder = "encoder";

    /// <summary>I-JEPA's predictor: names <c>predictor.*</c>.</summary>
    public const string Predictor = "predictor";

    /// <summary>I-JEPA's target encoder, the moving average of the context encoder: names <c>target_encoder.*</c>.</summary>
    public const string TargetEncoder = "target_encoder";

    /// <summary>MAE's decoder, beside its encoder: names <c>decoder.*</c>.</summary>
    public const string Decoder = "decoder";

    /// <summary>MAE's, in the order of the published files: its encoder is named <c>encoder.*</c>, as I-JEPA's context encoder.</summary>
    public static IReadOnlyList<string> OfMaskedAutoencoder { get; } = [ContextEncoder, Decoder];

    /// <summary>MSN's projection head, which stands behind its encoder: names <c>head.*</c>.</summary>
    public const string Head = "head";

    /// <summary>The moving average of MSN's head: names <c>target_head.*</c>.</summary>
    public const string TargetHead = "target_head";

    /// <summary>MSN's prototypes: the name <c>prototypes.weight</c>.</summary>
    public const string Prototypes = "prototypes";

    /// <summary>MSN's, in the order of its files here: its encoders are named as I-JEPA's.</summary>
    public static IReadOnlyList<string> OfMaskedSiamese { get; } = [ContextEncoder, Head, Prototypes, TargetEncoder, TargetHead];

    /// <summary>data2vec's student, trained by gradients: names <c>student.*</c>.</summary>
    public const string Student = "student";

    /// <summary>data2vec's head on the student: names <c>lm_head.*</c>, as published.</summary>
    public const string MaskedHead = "lm_head";

    /// <summary>data2vec's teacher, the moving average of the student: names <c>teacher.*</c>.</summary>
    public const string Teacher = "teacher";

    /// <summary>data2vec's, in the order of its checkpoints.</summary>
    public static IReadOnlyList<string> OfData2Vec { get; } = [Student, MaskedHead, Teacher];

    /// <summary>I-JEPA's, in the order of the published files.</summary>
    public static IReadOnlyList<string> OfImageJepa { get; } = [ContextEncoder, Predictor, TargetEncoder];

    /// <summary>What a network is called in sentences.</summary>
    public static string Title(string network) => network == ContextEncoder ? "context encoder" : (network ?? "").Replace('_', ' ');
}
