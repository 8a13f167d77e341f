using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.BadInput;

/// <summary>Sound files that a case begins with.</summary>
internal static class Photos
{
    public static byte[] Png { get; } = EncodedImages.Png(EncodedImages.Picture(40, 36));

    /// <summary>Four small photographs.</summary>
    public static void Make(string folder)
    {
        for (var i = 0; i < 4; i++) File.WriteAllBytes(Path.Combine(folder, $"photo-{i}.png"), Png);
    }

    /// <summary>A run without its checkpoints.</summary>
    public static void AbandonedRun(string folder)
    {
        Make(folder);
        var run = Directory.CreateDirectory(Path.Combine(folder, "run")).FullName;
        File.WriteAllText(Path.Combine(run, "config.yaml"),
            $"data:\n  path: '{folder}'\n  crop_size: 32\n  batch_size: 2\nmask:\n  patch_size: 8\n  min_keep: 1\nmeta:\n  model_name: vit_tiny\n  "
                + $"precision: fp32\n  pred_emb_dim: 12\n  pred_depth: 1\n  depth: 1\n  embed_dim: 24\n  num_heads: 2\noptimization:\n  epochs: 2\n "
                + $" warmup: 1\n");
    }

    /// <summary>Writes one file.</summary>
    public static Action<string> File1(string name, byte[] content) => folder =>
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    };

    /// <summary>Writes one text.</summary>
    public static Action<string> Text(string name, string content) => File1(name, System.Text.Encoding.UTF8.GetBytes(content));
}
