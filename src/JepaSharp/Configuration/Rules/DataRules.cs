namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section data by itself.</summary>
internal static class DataRules
{
    /// <summary>Beyond this side a single crop is hundreds of megabytes.</summary>
    private const int LargestCrop = 8192;

    public static void Check(DataOptions data, RuleChecks checks)
    {
        checks.NotEmpty(data.Path, "data.path");
        checks.NotEmpty(data.RootPath, "data.root_path");
        checks.NotEmpty(data.ImageFolder, "data.image_folder");
        checks.NotEmpty(data.TestPath, "data.test_path");
        checks.AtLeast(1, data.MaxImages, "data.max_images");
        checks.AtLeast(1, data.BatchSize, "data.batch_size");
        checks.Require(data.CropSize is >= 1 and <= LargestCrop, "data.crop_size", data.CropSize, $"1 to {LargestCrop} pixels");
        checks.Range(data.CropScale, 1, "data.crop_scale");
        checks.Range(data.CropAspect, double.PositiveInfinity, "data.crop_aspect");
        checks.Require(data.ColorJitterStrength >= 0, "data.color_jitter_strength", data.ColorJitterStrength, "0 or more");
        checks.Require(
            EachChannel(data.Mean, value => value is >= 0 and <= 1), "data.mean", data.Mean, "three numbers in [0, 1], which channels are scaled to");
        checks.Require(
            EachChannel(data.Std, value => value is > 0 and <= 1), "data.std", data.Std, "three numbers in (0, 1]: channels are scaled to [0, 1]");
        checks.AtLeast(0, data.NumWorkers, "data.num_workers");
        checks.AtLeast(1, data.Prefetch, "data.prefetch");
        checks.AtLeast(64, data.MemoryMb, "data.memory_mb");
        checks.Require(data.MaxUnreadable is >= 0 and <= 1, "data.max_unreadable", data.MaxUnreadable, "a share, 0 to 1");
        checks.AtLeast(1, data.SceneCount, "data.scene_count");
        checks.Require(data.SceneSize is >= 16 and <= 2048, "data.scene_size", data.SceneSize, "16 to 2048 pixels");
        checks.AtLeast(0, data.SceneSeed, "data.scene_seed");
    }

    private static bool EachChannel(ChannelTriple triple, Func<double, bool> holds) => holds(triple.Red) && holds(triple.Green) && holds(triple.Blue);
}
