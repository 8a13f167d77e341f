using JepaSharp.Configuration;
using JepaSharp.Configuration.Schema;

namespace JepaSharp.Tests.Configuration;

public sealed class PublishedSchemaTests
{
    // The keys of the published files, with the values of in1k_vith14_ep300.
    private static readonly (string Key, string Value)[] Published =
    [
        ("data.batch_size", "128"), ("data.color_jitter_strength", "0.0"), ("data.crop_scale", "0.3 1.0"), ("data.crop_size", "224"),
        ("data.image_folder", "imagenet_full_size/061417/"), ("data.num_workers", "10"), ("data.pin_mem", "true"),
        ("data.root_path", "$replace_me"), ("data.use_color_distortion", "false"), ("data.use_gaussian_blur", "false"),
        ("data.use_horizontal_flip", "false"),
        ("logging.folder", "$replace_me/vith14.224-bs.2048-ep.300/"), ("logging.write_tag", "jepa"),
        ("mask.allow_overlap", "false"), ("mask.aspect_ratio", "0.75 1.5"), ("mask.enc_mask_scale", "0.85 1.0"), ("mask.min_keep", "10"),
        ("mask.num_enc_masks", "1"), ("mask.num_pred_masks", "4"), ("mask.patch_size", "14"), ("mask.pred_mask_scale", "0.15 0.2"),
        ("meta.copy_data", "false"), ("meta.load_checkpoint", "false"), ("meta.model_name", "vit_huge"), ("meta.pred_depth", "12"),
        ("meta.pred_emb_dim", "384"), ("meta.read_checkpoint", "null"), ("meta.use_bfloat16", "true"),
        ("optimization.ema", "0.996 1.0"), ("optimization.epochs", "300"), ("optimization.final_lr", "1.0e-06"),
        ("optimization.final_weight_decay", "0.4"), ("optimization.ipe_scale", "1.0"), ("optimization.lr", "0.001"),
        ("optimization.start_lr", "0.0002"), ("optimization.warmup", "40"), ("optimization.weight_decay", "0.04"),
    ];

    [Fact]
    public void Published_HugeAt224_ReadsAsItIs()
    {
        var options = PretrainOptions.Parse(AsPublished());

        Assert.Equal(
            new PretrainOptions
            {
                Data =
                    new() { BatchSize = 128, CropSize = 224, ImageFolder = "imagenet_full_size/061417/", RootPath = "$replace_me", NumWorkers = 10 },
                Mask = new() { PatchSize = 14 },
                Meta = new() { ModelName = "vit_huge", PredDepth = 12 },
                Optimization = new() { Epochs = 300 },
                Logging = new() { Folder = "$replace_me/vith14.224-bs.2048-ep.300/" },
            },
            options);
        Assert.Equal("$replace_me/imagenet_full_size/061417/", options.Data.ResolveSource());
    }

    [Fact]
    public void Published_EveryKey_IsKnownAndCountsAsGiven() =>
        Assert.Equal(Published.Select(entry => entry.Key).Order(), OptionsDocument.Parse(AsPublished()).GivenKeys.Order());

    [Fact]
    public void Defaults_OfPublishedKeys_ArePapersViTBase()
    {
        var differing = Published.Select(entry => entry.Key).Where(key => !DefaultText(key).Equals(PublishedText(key), StringComparison.Ordinal));
        string[] expected =
        [
            "data.image_folder", "data.num_workers", "data.root_path", "logging.folder", "mask.patch_size",
            "meta.model_name", "meta.pred_depth", "optimization.epochs",
        ];
        Assert.Equal(expected, differing);
    }

    // Sections and keys in alphabetic order, lists as blocks that are not indented: how PyYAML dumps them.
    private static string AsPublished() => string.Concat(
        Published.GroupBy(entry => entry.Key.Split('.')[0]).Select(section =>
            $"{section.Key}:\n" + string.Concat(section.Select(entry => $"  {entry.Key.Split('.')[1]}:{Block(entry.Value)}\n"))));

    private static string Block(string value) =>
        value.Contains(' ', StringComparison.Ordinal) ? string.Concat(value.Split(' ').Select(item => $"\n  - {item}")) : $" {value}";

    private static string DefaultText(string key) => TextOf(new PretrainOptions(), key);

    private static string PublishedText(string key) => TextOf(OptionsDocument.Parse(AsPublished()).Options, key);

    private static string TextOf(PretrainOptions options, string fullName)
    {
        var section = OptionSection.Find(fullName.Split('.')[0])!;
        return OptionValue.Write(section.FindKey(fullName.Split('.')[1])!.Get(section.Get(options)));
    }
}
