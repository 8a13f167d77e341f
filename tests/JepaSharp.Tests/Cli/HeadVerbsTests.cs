using System.Globalization;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.Cli;

/// <summary><c>jepa fit</c> and <c>jepa predict</c>, <c>similar</c>, <c>duplicates</c>, <c>outliers</c> and <c>map</c>, and what goes wrong with
/// them.</summary>
public sealed class HeadVerbsTests : IDisposable
{
    private const string On = " --weights {hf} --data {dir}/fit --size 16 --no-cache";

    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _out = new(), _error = new();
    private readonly StopSignals _stop = new(_ => { });

    public HeadVerbsTests()
    {
        WriteClass("fit/red", 0, 0, 16);
        WriteClass("fit/blue", 2, 100, 16);
        WriteClass("new/some", 0, 200, 5);
        WriteClass("new/more", 2, 300, 5);
        WriteClass("unlabelled", 0, 400, 3);
        File.WriteAllText(_folder["new/broken.png"], "no picture");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "logistic")]
    [InlineData(" --head knn", "knn head of 2 classes")]
    [InlineData(" --head linear --embed-weights --test {dir}/test", "10 images that neither fitted nor chose")]
    [InlineData(" --head knn fine-tune --fine-tune-epochs 1 --fine-tune-batch 8", "fine-tune")]
    [InlineData(" --head fine-tune --fine-tune-epochs 2 --fine-tune-batch 8", "fine-tune head of 2 classes")]
    [InlineData(" --layers last4 --pool mean", "head of 2 classes")]
    public void Head_FittedByTheCommand_PredictsTheSameFromCodeToTheBit(string options, string said)
    {
        WriteClass("test/red", 0, 500, 5);
        WriteClass("test/blue", 2, 600, 5);
        Succeeds("fit" + On + " --out {dir}/head" + options);
        Assert.Contains(said, _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("choose", _error.ToString(), StringComparison.Ordinal);
        Succeeds("predict --head {dir}/head --data {dir}/new --out {dir}/labels.csv");
        Assert.Contains("1 of 11 images could not be read and is left out: broken.png.", _error.ToString(), StringComparison.Ordinal);
        using var head = FittedHead.Open(_folder["head"]);
        using var images = ImageSources.Open(_folder["new"]);
        var predicted = head.Predict(images, cancellation: TestContext.Current.CancellationToken).Images;
        string[][] rows = [.. File.ReadLines(_folder["labels.csv"]).Skip(1).Select(line => line.Split(','))];
        Assert.Equal(predicted.Select(p => p.Image), rows.Select(row => row[0]));
        Assert.Equal(predicted.Select(p => p.Label), rows.Select(row => row[1]));
        Assert.Equal(predicted.Select(p => p.Probability!.Value), rows.Select(row => double.Parse(row[2], CultureInfo.InvariantCulture)));
        Assert.Equal(predicted.Select(p => p.IsUnsure), rows.Select(row => bool.Parse(row[3])));
        Assert.Equal(options.Contains("embed", StringComparison.Ordinal) || head.Record.Kind == HeadKinds.FineTuned,
            File.Exists(_folder["head/encoder.safetensors"]));
    }

    [Fact]
    public void Images_SortedIntoFolders_AreCopiesOfWhatIsSure()
    {
        Succeeds("fit" + On + " --out {dir}/head --head linear");
        Succeeds("predict --head {dir}/head --data {dir}/new --sort-into {dir}/sorted --unsure-below 0");
        string[] files = [.. Directory.EnumerateFiles(_folder["sorted"], "*", SearchOption.AllDirectories)];
        Assert.Equal(10, files.Length);
        Assert.Equal(["blue", "red"], Directory.GetDirectories(_folder["sorted"]).Select(Path.GetFileName).Order());
        Succeeds("predict --head {dir}/head --data {dir}/new --sort-into {dir}/linked --link --unsure-below 1 --out {dir}/l.parquet");
        Assert.All(
            Directory.EnumerateFiles(_folder["linked"], "*", SearchOption.AllDirectories), file => Assert.NotNull(new FileInfo(file).LinkTarget));
        Assert.Equal(2, Run("predict --head {dir}/head --data {dir}/new --sort-into {dir}/sorted"));
        Assert.Contains("is not empty, and nothing is overwritten", _error.ToString(), StringComparison.Ordinal);
        Succeeds($"predict --head {{dir}}/head --data {files[0].Replace(' ', '_')} --out {{dir}}/one.csv");
        Assert.Equal(2, File.ReadLines(_folder["one.csv"]).Count());
    }

    [Fact]
    public void Numbers_FittedAndPredicted_HaveARange()
    {
        Succeeds("fit --weights {hf} --data scenes:60 --column count --size 16 --no-cache --out {dir}/head");
        Assert.Contains("count on 12 images that neither fitted nor chose: R2", _out.ToString(), StringComparison.Ordinal);
        Succeeds("predict --head {dir}/head --data {dir}/new --out {dir}/n.csv");
        string[] lines = File.ReadAllLines(_folder["n.csv"]);
        Assert.Equal(("image,number,low,high", 11), (lines[0], lines.Length));
        double[] first = [.. lines[1].Split(',').Skip(1).Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
        Assert.True(first[1] < first[0] && first[0] < first[2]);
        Assert.Equal(2, Run("predict --head {dir}/head --data {dir}/new --sort-into {dir}/s"));
        Assert.Contains("predicts numbers", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Neighbours_OfAFolderWithACopy_AreTablesAndPages()
    {
        File.Copy(_folder["fit/red/3.png"], _folder["fit/blue/copied.png"]);
        Succeeds("duplicates" + On + " --out {dir}/d.csv --page {dir}/d.html");
        Assert.Contains("1,blue/copied.png,true,1,1,false,", File.ReadAllText(_folder["d.csv"]), StringComparison.Ordinal);
        Assert.Contains("1 of them the same pixel for pixel", _out.ToString(), StringComparison.Ordinal);
        Succeeds("similar" + On + " --query {dir}/fit/red/3.png --k 2 --out {dir}/s.csv --page {dir}/s.html");
        string[] similar = File.ReadAllLines(_folder["s.csv"]);
        Assert.Equal(3, similar.Length); // not itself
        Assert.Contains(",1,blue/copied.png,", similar[1], StringComparison.Ordinal);
        Succeeds("similar" + On + " --query {dir}/new --k 3 --out {dir}/s2.csv");
        Assert.Equal(1 + (10 * 3), File.ReadLines(_folder["s2.csv"]).Count());
        Succeeds("outliers" + On + " --k 3 --out {dir}/o.csv --page {dir}/o.html");
        Assert.Equal(34, File.ReadLines(_folder["o.csv"]).Count());
        Succeeds("map" + On + " --clusters 2 --out {dir}/m.csv --page {dir}/m.html");
        Assert.Equal(34, File.ReadLines(_folder["m.csv"]).Count());
        Assert.All(
            (string[])["d", "s", "o", "m"],
            name => Assert.Contains("image/jpeg", File.ReadAllText(_folder[name + ".html"]), StringComparison.Ordinal));
    }

    public static TheoryData<string, string> Mistakes => new()
    {
        { "fit --weights {hf} --data {dir}/fit", "--out" },
        { "fit" + On + " --out {dir}/new", "exists and is not overwritten" },
        { "fit" + On + " --out {dir}/none/head", "There is no folder" },
        { "fit" + On + " --out {dir}/h --head forest", "forest" },
        { "fit" + On + " --out {dir}/h --test {dir}/fit", "are the same images" },
        { "fit" + On + " --out {dir}/h --test {dir}/new", "has no labels" },
        { "fit" + On + " --out {dir}/h --column count", "has no numbers to predict" },
        { "fit" + On + " --out {dir}/h --column count --head linear", "leave one of them out" },
        { "fit" + On + " --out {dir}/h --head ridge", "say which with --column" },
        { "fit --weights {hf} --data scenes:9 --out {dir}/h", "Give one with --column" },
        { "fit --weights {hf} --data {dir}/unlabelled --size 16 --out {dir}/h", "has no labels" },
        { "fit --weights {hf} --data {dir}/fit --size 30 --out {dir}/h", "multiple of 8" },
        { "fit" + On + " --out {dir}/h --pool class", "has no class token" },
        { "fit --weights {hf} --data {dir}/two --size 16 --no-cache --out {dir}/h", "Label more of them" },
        { "predict --head {dir}/fit --data {dir}/new --out {dir}/l.csv", "holds no head.json" },
        { "predict --head {dir}/none --data {dir}/new --out {dir}/l.csv", "does not exist" },
        { "predict --head {dir}/none --data {dir}/new", "Nothing to write" },
        { "predict --head {dir}/none --data {dir}/new --out {dir}/l.txt", "does not end in .csv or .parquet" },
        { "predict --head {dir}/none --data {dir}/new --out {dir}/l.csv --unsure-below 2", "expected a probability" },
        { "predict --head {dir}/none --data {dir}/new --out {dir}/l.csv --link", "--link goes with --sort-into" },
        { "duplicates" + On, "Nothing to write" },
        { "duplicates" + On + " --out {dir}/d.txt", "does not end in .csv" },
        { "duplicates" + On + " --page {dir}/fit", "is a folder" },
        { "duplicates" + On + " --out {dir}/d.csv --threshold 2", "expected a cosine" },
        { "duplicates" + On + " --out {dir}/d.csv --picture-threshold 2", "expected a correlation" },
        { "similar" + On + " --out {dir}/d.csv", "--query" },
        { "similar" + On + " --out {dir}/d.csv --query {dir}/none.png", "does not exist" },
        { "similar" + On + " --out {dir}/d.csv --query {dir}/fit --k 0", "at least 1" },
        { "outliers" + On + " --out {dir}/o.csv --k 0", "at least 1" },
        { "outliers --weights {hf} --data {dir}/one --size 16 --no-cache --out {dir}/o.csv", "one image alone" },
        { "map --weights {hf} --data {dir}/one --size 16 --no-cache --page {dir}/m.html", "needs at least 3" },
        { "map" + On + " --page {dir}/m.html --clusters 0", "at least 1" },
        { "map --weights {dir}/none --data {dir}/fit --page {dir}/m.html", "nothing there" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Mistake_OfAUser_IsOnePlainMessageAndExitCode2(string line, string said)
    {
        WriteClass("two/red", 0, 0, 2);
        WriteClass("two/blue", 2, 9, 2);
        WriteClass("one", 0, 0, 1);
        Assert.True(Run(line) == 2, _error.ToString());
        Assert.Contains(said, _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_out.ToString());
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.lock"));
    }

    private void WriteClass(string folder, int channel, int first, int count)
    {
        Directory.CreateDirectory(_folder[folder]);
        for (var i = 0; i < count; i++)
        {
            var image = EncodedImages.Noise(20, 20, (ulong)(first + i));
            for (var p = 0; p < image.Pixels.Length; p++) image.Pixels[p] = (byte)((image.Pixels[p] / 2) + (p % 3 == channel ? 127 : 0));
            File.WriteAllBytes(_folder[$"{folder}/{first + i}.png"], EncodedImages.Png(image));
        }
    }

    private void Succeeds(string line) => Assert.True(Run(line) == 0, _error.ToString());

    private int Run(string line) => CommandLine.Run(
        [.. line.Split(' ').Select(word => word.Replace("{dir}", _folder.Path, StringComparison.Ordinal).Replace(
            "{hf}", Fixtures.PathOf("nano/hf"), StringComparison.Ordinal))],
        new Terminal(_out, _error),
        _stop);
}
