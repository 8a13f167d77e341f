using JepaSharp.Configuration;

namespace JepaSharp.Tests.Configuration;

public sealed class ShippedConfigurationTests
{
    private static readonly string Folder = Path.Combine(RepositoryRoot(), "configs");

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.yaml").Select(file => Path.GetFileName(file)).Order()];

    [Theory]
    [MemberData(nameof(Files))]
    public void Shipped_File_LoadsAndValidates(string file)
    {
        var options = PretrainOptions.Load(Path.Combine(Folder, file));
        Assert.Equal(options, PretrainOptions.Parse(options.ToYaml()));
        Assert.StartsWith("# ", File.ReadAllText(Path.Combine(Folder, file)), StringComparison.Ordinal);
    }

    // Name, encoder, patch, crop, predictor depth, epochs, warm-up, processes that make a batch of 2048.
    [Theory]
    [InlineData("in1k_vitb16_ep600", "vit_base", 16, 224, 6, 600, 15, 16)]
    [InlineData("in1k_vitl16_ep600", "vit_large", 16, 224, 12, 600, 15, 16)]
    [InlineData("in1k_vith14_ep300", "vit_huge", 14, 224, 12, 300, 40, 16)]
    [InlineData("in1k_vith16-448_ep300", "vit_huge", 16, 448, 12, 300, 40, 128)]
    [InlineData("in22k_vith14_ep66", "vit_huge", 14, 224, 12, 66, 3, 64)]
    [InlineData("in22k_vitg16_ep44", "vit_giant", 16, 224, 16, 44, 3, 128)]
    public void Published_Setting_HasThePapersNumbers(
        string name, string model, int patch, int crop, int depth, int epochs, int warmup, int processes)
    {
        var options = PretrainOptions.Load(Path.Combine(Folder, $"{name}.yaml"));
        Assert.Equal(
            (model, patch, crop, depth, epochs, warmup, 2048),
            (options.Meta.ModelName, options.Mask.PatchSize, options.Data.CropSize, options.Meta.PredDepth, options.Optimization.Epochs,
                (int)options.Optimization.Warmup, options.Data.BatchSize * processes));
        Assert.Equal(new MaskOptions { PatchSize = patch }, options.Mask);
        Assert.Equal((384, new MomentumRange(0.996, 1), 0.001, 1e-6, 0.04, 0.4),
            (options.Meta.PredEmbDim, options.Optimization.Ema, options.Optimization.Lr, options.Optimization.FinalLr,
                options.Optimization.WeightDecay,
                options.Optimization.FinalWeightDecay));
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "JepaSharp.slnx"))) return folder.FullName;
        }
        throw new DirectoryNotFoundException("JepaSharp.slnx is not above the tests.");
    }
}
