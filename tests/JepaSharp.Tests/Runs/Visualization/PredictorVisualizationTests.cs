using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runs.Visualization;
using JepaSharp.Runtime;
using JepaSharp.Tests.Objectives;
using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Runs.Visualization;

public sealed class PredictorVisualizationTests : IDisposable
{
    private static readonly PretrainOptions Tiny = ObjectiveOptions.Tiny;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A stop in the middle of a decoder's training, and the same call again, ends in the numbers of one that was not stopped.</summary>
    [Fact]
    public void Run_StoppedAndGoneOnWith_EndsInTheNumbersOfTheUnbrokenOne_WithFigureAndPage()
    {
        using var source = Scenes(260);
        var whole = Run(source, _folder["whole"], stopAfter: null)!;
        Assert.Null(Run(source, _folder["broken"], stopAfter: 7));
        var resumed = Run(source, _folder["broken"], stopAfter: null)!;
        Assert.Equal(Gains(whole), Gains(resumed));
        Assert.Equal(File.ReadAllBytes(whole.Figure), File.ReadAllBytes(resumed.Figure));

        var page = File.ReadAllText(whole.Page);
        Assert.Contains("figure 6", page);
        Assert.Contains("Agreement with the true block", page);
        Assert.Contains("predictor - another block (the claim)", page);
        using var numbers = JsonDocument.Parse(File.ReadAllBytes(whole.Numbers));
        var root = numbers.RootElement;
        Assert.Equal(10, root.GetProperty("steps").GetInt32());
        Assert.Equal(
            ["context", "predictor", "target", "untrained", "wrong_position"],
            root.GetProperty("agreement").EnumerateObject().Select(a => a.Name).Order());
        Assert.Equal(6, root.GetProperty("agreement").GetProperty("predictor").GetProperty("correlation").GetProperty("by_block").GetArrayLength());
        Assert.Equal(5, root.GetProperty("paired").EnumerateObject().Count());
        Assert.InRange(root.GetProperty("overlap_of_other_block").GetDouble(), 0, 0.9);
        Assert.NotEmpty(whole.Said);
        // Once trained, decoders are used as they are, and nothing but the drawing is done again.
        var watch = new Watch(new CancellationTokenSource(), null);
        using var again = PredictorVisualization.Open(Request(source, _folder["whole"]));
        again.Run(watch, TestContext.Current.CancellationToken);
        Assert.Equal(0, watch.Steps);
    }

    [Fact]
    public void Decoders_OfOtherWeights_AreRefused_BeforeAnythingIsDone()
    {
        using var source = Scenes(260);
        var folder = _folder["decoders"];
        using (PredictorVisualization.Open(Request(source, folder))) Assert.False(Directory.Exists(folder));
        Directory.CreateDirectory(folder);
        File.WriteAllText(
            Path.Combine(folder, "decoders.json"),
            """{"Fingerprint":"0123456789abcdef","Weights":"old","Image":32,"Patch":8,"Size":8,"Images":"x","Pairs":9,"Steps":9,"Seed":0}""");
        var refused = Assert.Throws<JepaException>(() => PredictorVisualization.Open(Request(source, folder)));
        Assert.Contains("other networks: the fingerprint of old was 0123456789ab", refused.Message);
        Assert.True(refused.IsUsage);
        File.WriteAllText(
            Path.Combine(folder, "decoders.json"),
            """{"Fingerprint":"0123456789abcdef","Weights":"old","Image":224,"Patch":14,"Size":8,"Images":"x","Pairs":9,"Steps":9,"Seed":0}""");
        refused = Assert.Throws<JepaException>(() => PredictorVisualization.Open(Request(source, folder)));
        Assert.Contains("an encoder of 224 pixels in patches of 14, and these weights have 32 in patches of 8", refused.Message);
    }

    [Fact]
    public void Images_TooFew_AreRefused()
    {
        using var few = Scenes(60);
        var refused = Assert.Throws<JepaException>(() => PredictorVisualization.Open(Request(few, _folder["few"])));
        Assert.Contains("a decoder learns from at least 200", refused.Message);
        using var source = Scenes(260);
        refused = Assert.Throws<JepaException>(() => PredictorVisualization.Open(Request(source, _folder["few"]) with { Blocks = 100 }));
        Assert.Contains("and 100 are asked for", refused.Message);
        Assert.False(Directory.Exists(_folder["few"]));
    }

    [Fact]
    public void Weights_WithoutAPredictor_AreRefusedInASentence()
    {
        using var source = Scenes(260);
        var request = Request(source, _folder["out"]) with { Weights = Teachers.In(_folder), Heads = 2 };
        var refused = Assert.Throws<JepaException>(() => PredictorVisualization.Open(request));
        Assert.Contains("holds no context encoder and no predictor", refused.Message);
        Assert.True(refused.IsUsage);
    }

    private static ScenesSource Scenes(int count) => new(0, count, 32);

    private static string Gains(VisualizationResult result)
    {
        using var numbers = JsonDocument.Parse(File.ReadAllBytes(result.Numbers));
        return numbers.RootElement.GetProperty("held_out_loss").GetRawText() + numbers.RootElement.GetProperty("agreement").GetRawText();
    }

    private VisualizationRequest Request(ImageSource source, string folder) => new()
    {
        Weights = FrozenWeights.In(Tiny, _folder),
        Heads = 2,
        Source = source,
        Data = "scenes:260",
        Folder = folder,
        Minutes = 0.0001,
        Size = 8,
        Images = 3,
        Samples = 2,
        Blocks = 6,
    };

    private VisualizationResult? Run(ImageSource source, string folder, int? stopAfter)
    {
        using var stop = new CancellationTokenSource();
        using var visualization = PredictorVisualization.Open(Request(source, folder));
        try
        {
            return visualization.Run(new Watch(stop, stopAfter), stop.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private sealed class Watch(CancellationTokenSource stop, int? stopAfter) : IVisualizationListener, ITrainingObserver, IProgress<int>
    {
        public int Steps { get; private set; }

        public void Say(string text)
        {
        }

        public IProgress<int> Begin(string doing, string things, int total) => this;

        public ITrainingObserver Training(string doing) => this;

        public void OnStep(in StepReport step)
        {
            if (++Steps == stopAfter) stop.Cancel();
        }

        public void Report(int value)
        {
        }
    }
}
