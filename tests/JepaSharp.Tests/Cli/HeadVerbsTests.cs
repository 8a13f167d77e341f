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
        Assert.Contains("always naming the most frequent class would be right in 50.0% of them", _out.ToString(), StringComparison.Ordinal);
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

    [Theory]
    [InlineData("", "ridge")]
    [InlineData(" --head ridge", "ridge")]
    [InlineData(" --head knn", "knn")]
    public void Numbers_FittedAndPredicted_HaveARange(string kind, string also)
    {
        Succeeds("fit --weights {hf} --data scenes:60 --column count --size 16 --no-cache --out {dir}/head" + kind);
        Assert.Contains("count on 12 images that neither fitted nor chose: R2", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains(also, _out.ToString(), StringComparison.Ordinal);
        Assert.Matches("(ridge|knn) head of \"count\", fitted on [0-9]+ to [0-9]+\n", _out.ToString());
        Succeeds("predict --head {dir}/head --data {dir}/new --out {dir}/n.csv");
        Assert.Matches("n.csv: 10 images; \"count\" from -?[0-9.]+ to -?[0-9.]+, -?[0-9.]+ on average, each \\+-[0-9.]+\n", _out.ToString());
        using (var head = FittedHead.Open(_folder["head"]))
        using (var images = ImageSources.Open(_folder["new"]))
        {
            var predicted = head.Predict(images, cancellation: TestContext.Current.CancellationToken).Images.Select(image => image.Number!.Value);
            Assert.Equal(predicted, File.ReadLines(_folder["n.csv"]).Skip(1).Select(
                line => double.Parse(line.Split(',')[1], CultureInfo.InvariantCulture)));
            var outside = predicted.Count(
                n => n < head.Record.Lowest - head.Record.Interval || n > head.Record.Highest + head.Record.Interval);
            Assert.Equal(outside > 0, _error.ToString().Contains("far outside of", StringComparison.Ordinal));
            if (head.Record.Kind == HeadKinds.Neighbours) Assert.Equal(0, outside); // a mean of numbers that were fitted on
        }

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

    /// <summary>The features from a file give what the encoder gives anew; pictures come from the set where that is named.</summary>
    [Theory]
    [InlineData("parquet")]
    [InlineData("npy")]
    public void Neighbours_FromAFileOfEmbeddings_AreThoseOfTheEncoder(string ending)
    {
        var file = " --embeddings {dir}/e." + ending;
        File.Copy(_folder["fit/red/3.png"], _folder["fit/blue/copied.png"]);
        Succeeds("embed --weights {hf} --data {dir}/fit --size 16 --out {dir}/e." + ending);
        Succeeds("outliers" + On + " --k 3 --out {dir}/o1.csv");
        Succeeds("outliers" + file + " --k 3 --out {dir}/o2.csv --page {dir}/o2.html");
        Assert.Equal(Rows("o1.csv").Select(row => row[1]).Take(5), Rows("o2.csv").Select(row => row[1]).Take(5));
        Assert.Equal(Rows("o1.csv").Average(row => double.Parse(row[2], CultureInfo.InvariantCulture)),
            Rows("o2.csv").Average(row => double.Parse(row[2], CultureInfo.InvariantCulture)), 1e-3);
        Assert.Contains("None of the 33 images is found under its name", _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("image/jpeg", File.ReadAllText(_folder["o2.html"]), StringComparison.Ordinal);
        Succeeds("similar" + On + " --query {dir}/fit/red/3.png --k 3 --out {dir}/s1.csv");
        Succeeds("similar" + file + " --data {dir}/fit --query red/3.png --k 3 --out {dir}/s2.csv --page {dir}/s2.html");
        Assert.Equal(Rows("s1.csv").Select(row => row[2]), Rows("s2.csv").Select(row => row[2]));
        Assert.Contains("image/jpeg", File.ReadAllText(_folder["s2.html"]), StringComparison.Ordinal);
        Succeeds("similar" + file + " --query 3.png --k 3 --out {dir}/s3.csv");
        Assert.Equal(Rows("s2.csv"), Rows("s3.csv"));
        Succeeds("similar" + file + " --query {dir}/e." + ending + " --k 3 --out {dir}/s4.csv");
        Assert.All(Rows("s4.csv"), row => Assert.NotEqual(row[0], row[2])); // an image of the file is not its own neighbour
        Assert.Equal(33 * 3, Rows("s4.csv").Count);
        Succeeds("duplicates" + file + " --data {dir}/fit --threshold 0.9999 --out {dir}/d1.csv");
        Assert.Contains("1,blue/copied.png,true,1,1,false,", File.ReadAllText(_folder["d1.csv"]), StringComparison.Ordinal);
        Assert.Contains("small pictures with a correlation", _error.ToString(), StringComparison.Ordinal);
        Succeeds("duplicates" + file + " --threshold 0.9999 --out {dir}/d2.csv");
        Assert.Contains("1,blue/copied.png,true,1,,false,,0,0,0", File.ReadAllText(_folder["d2.csv"]), StringComparison.Ordinal);
        Assert.Contains("The encoder alone decides", _error.ToString(), StringComparison.Ordinal);
        Succeeds("map" + file + " --clusters 2 --out {dir}/m.csv --page {dir}/m.html");
        Assert.Equal(33, Rows("m.csv").Count(row => row[^1].Length > 0)); // with their classes
        Succeeds("outliers" + file + " --k 3 --exact-up-to 9 --out {dir}/o3.csv");
        Assert.Contains("which found 100.0% of the true ten nearest of 33 images", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(Rows("o2.csv").Select(row => row[1]).Take(5), Rows("o3.csv").Select(row => row[1]).Take(5));
    }

    [Theory]
    [InlineData("outliers --out {dir}/o.csv", "or --embeddings FILE")]
    [InlineData("outliers --embeddings {dir}/e.csv --out {dir}/o.csv --size 16", "--size means nothing with --embeddings")]
    [InlineData("outliers --embeddings {dir}/e.csv --out {dir}/o.csv --weights {hf}", "--weights means nothing with --embeddings")]
    [InlineData("outliers --embeddings {dir}/none.csv --out {dir}/o.csv", "does not exist")]
    [InlineData("outliers --embeddings {dir}/e.csv --data {dir}/new --out {dir}/o.csv", "Give --data the set that was embedded")]
    [InlineData("duplicates --embeddings {dir}/e.csv --out {dir}/o.csv", "give --threshold COSINE")]
    [InlineData("duplicates --embeddings {dir}/e.csv --threshold 0.9 --picture-threshold 0.9 --out {dir}/o.csv", "compares how images look")]
    [InlineData("similar --embeddings {dir}/e.csv --query b --out {dir}/o.csv", "has several such images, a/b and c/b")]
    [InlineData("similar --embeddings {dir}/e.csv --query d --out {dir}/o.csv", "has no image of that name")]
    [InlineData("similar --embeddings {dir}/e.csv --query {dir}/w.csv --out {dir}/o.csv", "of different encoders or poolings")]
    public void Mistake_WithAFileOfEmbeddings_IsOnePlainMessageAndExitCode2(string line, string said)
    {
        File.WriteAllText(_folder["e.csv"], "name,label,class,f0,f1\na/b,,,1,2\nc/b,,,2,1\n");
        File.WriteAllText(_folder["w.csv"], "name,label,class,f0\na/b,,,1\nc/b,,,2\n");
        Assert.True(Run(line) == 2, _error.ToString());
        Assert.Contains(said, _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_out.ToString());
    }

    /// <summary>A mistake in what is looked for is said before features of the whole set are made.</summary>
    [Fact]
    public void Similar_ToWhatIsNotThere_IsRefusedBeforeTheWork()
    {
        Assert.Equal(2, Run("similar" + On + " --out {dir}/d.csv --query {dir}/none.png"));
        Assert.DoesNotContain("features of", _error.ToString(), StringComparison.Ordinal);
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

    private List<string[]> Rows(string name) => [.. File.ReadLines(_folder[name]).Skip(1).Select(line => line.Split(','))];

    private void Succeeds(string line) => Assert.True(Run(line) == 0, _error.ToString());

    private int Run(string line) => CommandLine.Run(
        [.. line.Split(' ').Select(word => word.Replace("{dir}", _folder.Path, StringComparison.Ordinal).Replace(
            "{hf}", Fixtures.PathOf("nano/hf"), StringComparison.Ordinal))],
        new Terminal(_out, _error),
        _stop);
}
