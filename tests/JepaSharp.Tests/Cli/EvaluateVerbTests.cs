using System.Text.Json;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Cli;

/// <summary><c>jepa evaluate</c> and what goes wrong with it.</summary>
public sealed class EvaluateVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _out = new(), _error = new();
    private readonly StopSignals _stop = new(_ => { });

    public EvaluateVerbTests()
    {
        WriteClass("fit/red", 0, 0, 12);
        WriteClass("fit/blue", 2, 100, 12);
        WriteClass("test/red", 0, 200, 4);
        WriteClass("test/blue", 2, 300, 4);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("knn", "20 nearest neighbours")]
    [InlineData("linear --epochs 2", "untrained encoder, last 2 layers")]
    [InlineData("ridge --penalty 10", "raw pixels")]
    [InlineData("logistic --features patches", "every patch")]
    [InlineData("low-shot --per-class 4 --draws 2", "linear, 2 draws")]
    [InlineData("low-shot --per-class 1 --draws 2", "logistic, 2 draws")]
    [InlineData("fine-tune --epochs 30 --batch 8 --lr 0.1 --baselines on", "fine-tuned")]
    public void Task_OnLabelledFolders_PrintsATableWithBaselinesAndWritesJson(string task, string row)
    {
        Assert.True(Run($"evaluate {task} --weights {{hf}} --data {{dir}}/fit --test {{dir}}/test --size 16 --cache {{dir}}/cache --out "
            + $"{{dir}}/a.json") == 0, _error.ToString());
        Assert.Contains(row, _out.ToString(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(File.ReadAllText(_folder["a.json"]));
        var root = json.RootElement;
        Assert.Equal(task.Split(' ')[0], root.GetProperty("task").GetString());
        Assert.Equal(64, root.GetProperty("weights").GetProperty("sha256").GetString()!.Length);
        Assert.Equal((24, 8), (root.GetProperty("fit").GetProperty("images").GetInt32(), root.GetProperty("test").GetProperty("images").GetInt32()));
        var results = root.GetProperty("results").EnumerateArray().ToList();
        Assert.Single(results, r => r.GetProperty("is_chosen").GetBoolean());
        Assert.Contains(results, r => r.GetProperty("is_baseline").GetBoolean());
        Assert.All(results, r => Assert.InRange(r.GetProperty("scores").GetProperty("accuracy").GetDouble(), 0, 1));
        Assert.Equal(1, results.Max(r => r.GetProperty("scores").GetProperty("accuracy").GetDouble())); // red and blue are easy
    }

    [Theory]
    [InlineData("count")]
    [InlineData("distance")]
    public void Task_OnScenes_ReadsClassesAndNumbers(string task)
    {
        Assert.True(
            Run($"evaluate {task} --weights {{hf}} --data scenes:60 --size 16 --no-cache --epochs 1 --features last") == 0, _error.ToString());
        Assert.Contains("a fifth of scenes:60", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("classes, on the test images", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("numbers, on the test images", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Count_OfAColumnWithConditions_IsRegressedAndClassified()
    {
        var lines = Directory.GetFiles(_folder["fit"], "*.png", SearchOption.AllDirectories).Order().Select(
            (path, i) => $"{path},{(i / 2 % 3) + 1},{(i % 8 == 0 ? 1 : 0)},{i % 5 * 0.5}");
        File.WriteAllLines(_folder["list.csv"], ["path,n_objects,tower,half", .. lines]);
        Assert.True(Run("evaluate count --column n_objects --weights {hf} --data {dir}/list.csv#where=tower=0 --test {dir}/list.csv#where=tower=1 "
            + "--size 16 --no-cache --features last --epochs 1") == 0, _error.ToString());
        Assert.Contains("21 images of 3 classes", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, Run("evaluate count --column half --weights {hf} --data {dir}/list.csv#where=tower=0 --test {dir}/list.csv#where=tower=1 "
            + "--size 16 --no-cache --features last"));
    }

    [Fact]
    public void Features_OfASecondEvaluation_ComeFromTheCacheAndAgree()
    {
        const string Line = "evaluate ridge --weights {hf} --data {dir}/fit --test {dir}/test --size 16 --cache {dir}/cache --penalty 10";
        Assert.Equal(0, Run(Line));
        var first = WithoutTimes();
        Assert.DoesNotContain("from " + _folder["cache"], _error.ToString(), StringComparison.Ordinal);
        _out.GetStringBuilder().Clear();
        Assert.Equal(0, Run(Line));
        Assert.Contains("features of 24 fit images: from " + _folder["cache"], _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(first, WithoutTimes());
        Assert.Equal(6, Directory.GetFiles(_folder["cache"]).Length);

        string WithoutTimes() => string.Join('\n', _out.ToString().Split('\n').Select(line => line.Length > 6 ? line[..^6] : line));
    }

    [Fact]
    public void Evaluate_Alone_SaysWhichTasksThereAre()
    {
        Assert.Equal(0, Run("evaluate"));
        Assert.Contains("low-shot", _out.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Mistakes => new()
    {
        { "evaluate lnear --weights {hf} --data {dir}/fit", "no verb 'lnear'; did you mean 'linear'?" },
        { "evaluate knn --weights {hf}", "--data" },
        { "evaluate knn --weights {hf} --data {dir}/fit --kk 3", "jepa evaluate knn has no option '--kk'" },
        { "evaluate knn --weights {hf} --data {dir}/fit --test {dir}/fit/", "are the same images" },
        { "evaluate knn --weights {hf} --data {dir}/fit --test {dir}/copy --size 16 --no-cache",
            "All 24 test images are also among the images to fit on" },
        { "evaluate knn --weights {hf} --data {dir}/plain --test {dir}/test", "has no labels" },
        { "evaluate linear --weights {hf} --data {dir}/fit --test {dir}/plain", "has no labels" },
        { "evaluate linear --weights {hf} --data {dir}/one --test {dir}/test", "of one class, \"red\"" },
        { "evaluate linear --weights {hf} --data {dir}/fit --test {dir}/other",
            "1 of the 2 classes of the test images is not among those to fit on: green" },
        { "evaluate knn --weights {hf} --data scenes:20", "has no labels" },
        { "evaluate count --weights {hf} --data {dir}/fit --test {dir}/test", "has no numbers to predict" },
        { "evaluate count --weights {hf} --data scenes:20 --column size", "has no column \"size\". Its columns of numbers: count, distance" },
        { "evaluate low-shot --weights {hf} --data {dir}/fit --test {dir}/test", "1 % of 24 images of 2 classes is 0.24 images" },
        { "evaluate low-shot --weights {hf} --data {dir}/fit --test {dir}/test --per-class 50", "has 12 images; 50 of every class" },
        { "evaluate low-shot --weights {hf} --data {dir}/fit --test {dir}/test --per-class 2 --share 0.5", "give one of them" },
        { "evaluate knn --weights {hf} --data {dir}/fit --test {dir}/test --size 30", "multiple of 8" },
        { "evaluate ridge --weights {hf} --data {dir}/fit --test {dir}/test --penalty 0", "above 0" },
        { "evaluate linear --weights {hf} --data {dir}/fit --test {dir}/test --lr -1", "above 0" },
        { "evaluate fine-tune --weights {hf} --data {dir}/fit --test {dir}/test --layer-decay 2", "at most 1" },
        { "evaluate fine-tune --weights {hf} --data {dir}/fit --test {dir}/test --clip 0", "more than 0" },
        { "evaluate fine-tune --weights {hf} --data {dir}/fit --test {dir}/test --resume", "give its folder with --out" },
        { "evaluate fine-tune --weights {hf} --data {dir}/fit --test {dir}/test --resume --out {dir}/fit", "it is not a run" },
        { "evaluate fine-tune --weights {hf} --data {dir}/fit --test {dir}/test --out {dir}/fit", "is not empty" },
        { "evaluate knn --weights {hf} --data {dir}/fit --test {dir}/test --out {dir}/nowhere/a.json", "There is no folder" },
        { "evaluate knn --weights {dir}/fit --data {dir}/fit --test {dir}/test", "a folder without weights" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Mistake_OfAUser_IsOnePlainMessageAndExitCode2(string line, string said)
    {
        WriteClass("plain", 0, 400, 3);
        WriteClass("one/red", 0, 410, 3);
        WriteClass("other/red", 0, 420, 2);
        WriteClass("other/green", 1, 430, 2);
        WriteClass("copy/red", 0, 0, 12);
        WriteClass("copy/blue", 2, 100, 12);
        Assert.Equal(2, Run(line));
        var message = _error.ToString();
        Assert.Contains(said, message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", message, StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", message, StringComparison.Ordinal);
        Assert.Empty(_out.ToString());
    }

    [Fact]
    public void FineTuning_WithARunFolder_LeavesARunThatIsGoneOnWithReportedAndUsed()
    {
        const string Line =
            "evaluate fine-tune --weights {hf} --data {dir}/fit --test {dir}/test --size 16 --epochs 4 --batch 8 --lr 0.1 --out {dir}/run";
        Assert.True(Run(Line) == 0, _error.ToString());
        var first = ScoresOf("run/evaluation.json");
        Assert.Equal(12, File.ReadLines(_folder["run/metrics.csv"]).Count() - 1);

        // A finished run that is gone on with takes no step, and is scored again.
        Assert.True(Run(Line + " --resume") == 0, _error.ToString());
        Assert.Equal(first, ScoresOf("run/evaluation.json"));
        Assert.Equal(12, File.ReadLines(_folder["run/metrics.csv"]).Count() - 1);
        Assert.Equal(2, Run(Line.Replace("--lr 0.1", "--lr 0.2", StringComparison.Ordinal) + " --resume"));
        Assert.Contains("recipe.learning_rate was 0.1, now 0.2", _error.ToString(), StringComparison.Ordinal);

        Assert.True(Run("report {dir}/run") == 0, _error.ToString());
        var page = File.ReadAllText(_folder["run/report.html"]);
        Assert.Contains("Fine-tuning of", page, StringComparison.Ordinal);
        Assert.Contains("There are no pictures, and no checkpoints are compared: fine-tuning cannot be built", page, StringComparison.Ordinal);
        Assert.DoesNotContain("jepa pretrain", page, StringComparison.Ordinal);
        Assert.True(Run("evaluate knn --weights {dir}/run --data {dir}/fit --test {dir}/test --no-cache --size 16") == 0, _error.ToString());
        Assert.Contains("averaged_encoder", _error.ToString(), StringComparison.Ordinal);

        string ScoresOf(string path)
        {
            using var json = JsonDocument.Parse(File.ReadAllText(_folder[path]));
            return json.RootElement.GetProperty("results")[0].GetProperty("scores").GetRawText();
        }
    }

    [Fact]
    public void ClassAbsentFromTheTest_IsNoted()
    {
        Directory.Delete(_folder["test/blue"], recursive: true);
        Assert.Equal(0, Run("evaluate knn --weights {hf} --data {dir}/fit --test {dir}/test --size 16 --no-cache --baselines off"));
        Assert.Contains("note: 1 of 2 classes has no test image, so how well it is told apart is not measured: blue", _error.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void EncoderThatHasDiverged_IsSaidPlainly()
    {
        using var scope = NewDisposeScope();
        using var initial = SafetensorsFile.Open(Fixtures.PathOf("nano/initial.safetensors"));
        var changed = initial.Tensors.ToDictionary();
        changed["encoder.norm.weight"] = LazyTensor.Of(ones(48).Multiply(3e38));
        SafetensorsWriter.Write(_folder["w.safetensors"], [.. changed]);
        Assert.Equal(1, Run("evaluate knn --weights {dir}/w.safetensors --heads 3 --encoder context --data {dir}/fit --test {dir}/test --size 16 "
            + "--no-cache --baselines off"));
        Assert.Contains("expected finite numbers", _error.ToString(), StringComparison.Ordinal);
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

    private int Run(string line) => CommandLine.Run(
        [.. line.Split(' ').Select(word => word.Replace("{dir}", _folder.Path, StringComparison.Ordinal).Replace(
            "{hf}", Fixtures.PathOf("nano/hf"), StringComparison.Ordinal))],
        new Terminal(_out, _error),
        _stop);
}
