namespace JepaSharp.Outside;

/// <summary>README's C# is compiled and run as it stands there.</summary>
public sealed class ReadmeTests
{
    private const string Configuration = """
        data:
          path: photos/train
          crop_size: 32
          batch_size: 8
        mask:
          patch_size: 8
          min_keep: 1
        meta:
          model_name: vit_tiny
          embed_dim: 32
          depth: 1
          num_heads: 2
          pred_emb_dim: 16
          pred_depth: 1
          pred_num_heads: 1
        optimization:
          epochs: 2
          warmup: 1
        """;

    [Fact]
    public void Example_OfReadme_IsTheOneThatIsCompiled()
    {
        string[] readme = [.. Block(File.ReadAllLines(Path.Combine(Root(), "README.md"))).Where(l => l.Trim().Length > 0)];
        var source = File.ReadAllLines(Path.Combine(Root(), "tests", "JepaSharp.Outside", "ReadmeExample.cs"));
        string[] body = [.. source.SkipWhile(l => !l.Contains("README begins", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(l => !l.Contains("README ends", StringComparison.Ordinal)).Where(l => l.Trim().Length > 0)];
        Assert.Equal([.. source.Where(l => l.StartsWith("using ", StringComparison.Ordinal)), .. body.Select(l => l[8..])], readme);
        Assert.InRange(readme.Length, 1, 15);
    }

    [Fact]
    public void Example_OfReadme_TrainsResumesAndEvaluates()
    {
        var folder = Directory.CreateTempSubdirectory("jepasharp-readme-").FullName;
        var (before, console, said) = (Directory.GetCurrentDirectory(), Console.Out, new StringWriter());
        try
        {
            foreach (var (part, count) in new[] { ("train", 24), ("test", 8) })
            {
                for (var i = 0; i < count; i++) WritePicture(Path.Combine(folder, "photos", part, i % 2 == 0 ? "dark" : "light", $"{i}.bmp"), i);
            }

            File.WriteAllText(Path.Combine(folder, "photos.yaml"), Configuration);
            Directory.SetCurrentDirectory(folder);
            Console.SetOut(said);
            ReadmeExample.Run();
        }
        finally
        {
            Console.SetOut(console);
            Directory.SetCurrentDirectory(before);
            Directory.Delete(folder, recursive: true);
        }

        Assert.StartsWith("Completed", said.ToString(), StringComparison.Ordinal);
        Assert.Contains("knn_accuracy 1.000", said.ToString(), StringComparison.Ordinal); // dark and light are told apart
    }

    private static IEnumerable<string> Block(IEnumerable<string> lines) =>
        lines.SkipWhile(l => l != "## From C#").SkipWhile(l => l != "```csharp").Skip(1).TakeWhile(l => l != "```");

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "JepaSharp.slnx"))) folder = folder.Parent;
        return folder.FullName;
    }

    /// <summary>A BMP of 40x36 pixels: even ones dark, odd ones light, each with a pattern of its own.</summary>
    private static void WritePicture(string path, int number)
    {
        const int width = 40, height = 36, head = 54;
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write("BM"u8);
        foreach (var value in new[] { head + (3 * width * height), 0, head, 40, width, height }) writer.Write(value);
        writer.Write((short)1);
        writer.Write((short)24);
        foreach (var value in new[] { 0, 3 * width * height, 0, 0, 0, 0 }) writer.Write(value);
        for (var i = 0; i < 3 * width * height; i++) writer.Write((byte)((number % 2 == 0 ? 20 : 180) + ((i * (number + 3)) % 50)));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes.ToArray());
    }
}
