namespace JepaSharp.Reports;

/// <summary>What a measure is called in words, and how its value is written.</summary>
public static class MeasureWords
{
    /// <summary>The words for a measure's name; for one that is not known, the name with spaces.</summary>
    public static string Of(string name) => name switch
    {
        "rankme" => "RankMe (effective rank of features)",
        "count_accuracy" => "object count, ridge probe, right",
        "count_r2" => "object count, ridge probe, R2",
        "distance_r2" => "nearest distance, ridge probe, R2",
        "distance_mae" => "nearest distance, mean error",
        "knn_accuracy" => "test accuracy, 20 nearest neighbours",
        "ridge_accuracy" => "test accuracy, ridge probe",
        "knn_heldout_accuracy" => "held-out accuracy, 20 nearest neighbours",
        "ridge_heldout_accuracy" => "held-out accuracy, ridge probe",
        "feature_deviation" => "deviation of a feature",
        "mean_cosine" => "mean cosine between images",
        "lidar" => "LiDAR (effective rank over views)",
        "loss" => "loss, always with the same masks",
        "constant_loss" => "loss of the best constant prediction",
        "position_loss" => "loss of the best prediction from position alone",
        _ => (name ?? throw new ArgumentNullException(nameof(name))).Replace('_', ' '),
    };

    /// <summary>Whether a measure is a share, to be shown as a percentage.</summary>
    public static bool IsShare(string name) => name is not null && name.EndsWith("accuracy", StringComparison.Ordinal);

    /// <summary>Whether a measure scores a probe, so that more is better.</summary>
    public static bool IsProbeScore(string name) => IsShare(name) || (name is not null && name.EndsWith("_r2", StringComparison.Ordinal));
}
