using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using JepaSharp.Optimization;
using JepaSharp.Training;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>Files of DINO and iBOT as the published code writes them: read, begun with, and written in other forms.</summary>
public sealed class PublishedSelfDistillationTests(ITestOutputHelper output) : IDisposable
{
    private const int Heads = 2;
    private readonly TemporaryFolder _folder = new();

    public static IEnumerable<TheoryDataRow<string>> Checkpoints => RecordedFolders.Of(["dino", "ibot"], "checkpoint.pth");

    public static IEnumerable<TheoryDataRow<string>> WithFeatures => RecordedFolders.Of(["dino"], "features.safetensors");

    public void Dispose() => _folder.Dispose();

    /// <summary>Arguments and NumPy's numbers are passed over; every weight is the recorded one, a shared last layer once.</summary>
    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Checkpoint_OfATraining_HoldsStudentTeacherHeadsAndCentres(string name)
    {
        using var scope = NewDisposeScope();
        using var run = new RecordedSelfDistillation(name);
        using var weights = Open(name);
        Assert.Equal((name, "teacher", (long?)4), (weights.Objective, weights.Evaluated, weights.Epoch));
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
        Assert.Equal(run.Objective.Networks.Select(n => n.Name), weights.Present);
        Assert.Equal(run.Objective.Encoder.Shape, weights.Encoder);
        foreach (var (network, inner, _) in run.Weights())
        {
            using var read = weights.Read($"{network}.{inner}");
            Assert.True(read.Equals(run.Expected($"final.{RecordedSelfDistillation.NameOf(network, inner)}")), $"{network}.{inner}");
        }

        Assert.Equal(run.Objective.State.Select(s => s.Name).Order(), weights.State.Keys.Order());
    }

    /// <summary>With centre and moments of the training that it is of, each parameter's steps its own; after the same steps here everything is the
    /// same.</summary>
    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Run_BegunWithACheckpoint_HasTheStateOfTheRunThatItIsOf(string name)
    {
        using var scope = NewDisposeScope();
        using var unbroken = new RecordedSelfDistillation(name);
        for (var k = 0; k < unbroken.Steps.Count; k++)
        {
            using var batch = unbroken.Batch(k);
            unbroken.Step.Run(batch);
        }

        using var begun = new RecordedSelfDistillation(name);
        using var weights = Open(name);
        var said = StartingWeights.Apply(weights, begun.Step.State);
        Assert.Contains("student and teacher: found", said);
        Assert.Contains(said, s => s.StartsWith("center", StringComparison.Ordinal));
        Assert.Contains(said, s => s.StartsWith("optimizer's state: found", StringComparison.Ordinal));
        var frozen = unbroken.Steps.Count(s => s.GetProperty("last_layer_frozen").GetBoolean());
        Assert.Equal(8, weights.Optimizer!.Moments["student.cls_token"].Step);
        Assert.Equal(8 - frozen, weights.Optimizer.Moments["student_head.last_layer.weight_v"].Step);
        double worst = 0;
        foreach (var (network, other) in unbroken.Step.State.Networks.Zip(begun.Step.State.Networks))
        {
            foreach (var (parameter, shape, start) in network.Parameters.Layout)
            {
                Compare(network.Parameters.Values, other.Parameters.Values, 1e-5);
                if (network.Optimizer is null) continue;
                Compare(network.Optimizer.FirstMoment, other.Optimizer!.FirstMoment, 1e-4);
                Compare(network.Optimizer.SecondMoment, other.Optimizer.SecondMoment, 1e-4);

                void Compare(Tensor a, Tensor b, double tolerance)
                {
                    var recorded = RecordedSelfDistillation.NameOf(network.Network.Name, parameter);
                    var (absolute, _) = RecordedRun.Difference(
                        RecordedSelfDistillation.Determined(recorded, FlatParameters.ViewOf(a, start, shape)),
                        RecordedSelfDistillation.Determined(recorded, FlatParameters.ViewOf(b, start, shape)));
                    Assert.True(absolute < tolerance, $"{recorded} differs by {absolute}");
                    worst = Math.Max(worst, absolute);
                }
            }
        }

        foreach (var (a, b) in unbroken.Objective.State.Zip(begun.Objective.State))
            Assert.True(RecordedRun.Difference(a.Value, b.Value).Absolute < 1e-6);
        output.WriteLine($"{string.Join("; ", said)}; largest difference of weights and moments {worst:g3}");
    }

    /// <summary>Heads and small views follow the weights that a run begins with.</summary>
    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Options_OfARunBegunWithACheckpoint_HaveItsHeads(string name)
    {
        using var run = new RecordedSelfDistillation(name);
        using var weights = Open(name);
        var options = SuggestedOptions.ForScenes().LearnedBy(name).Following(weights, Heads).Options;
        options.Validate();
        var plan = new PretrainPlan(options);
        var (found, expected) = run.IsIbot ? (plan.Ibot.Head, run.Ibot.Options.Head) : (plan.Dino.Head, run.Dino.Options.Head);
        Assert.Equal(expected with { LearnsLengths = false }, found);
        Assert.Equal((32, 16), (options.Data.CropSize, options.Views.LocalSize));
    }

    /// <summary>A lone encoder gives its weights to student and teacher; heads begin anew.</summary>
    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Backbone_AloneUnderPlainNames_IsReadAndBegunWith(string name)
    {
        using var scope = NewDisposeScope();
        using var weights = Open(name);
        SafetensorsWriter.Write(_folder["dino_pretrain.safetensors"], [.. weights.Network("teacher")], new Dictionary<string, string>());
        using var alone = PretrainedWeights.Open(_folder["dino_pretrain.safetensors"], Heads);
        Assert.Equal(weights.Encoder with { Resizing = PositionResizing.Bicubic }, alone.Encoder);
        Assert.True(alone.Report.IsClean);
        using var begun = new RecordedSelfDistillation(name);
        var said = StartingWeights.Apply(alone, begun.Step.State);
        Assert.Contains("student: starts as a copy of the file's encoder", said);
        Assert.Contains("teacher: starts as a copy of the file's encoder", said);
        Assert.Contains(said, s => s.StartsWith("student head: not found", StringComparison.Ordinal));
        foreach (var network in (string[])["student", "teacher"])
        {
            var module = begun.Objective.Networks.Single(n => n.Name == network).Module;
            foreach (var (inner, value) in module.state_dict()) Assert.True(value.Equals(weights.Read($"teacher.{inner}")));
        }
    }

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Export_OfACheckpoint_IsReadAsTheSame(string name)
    {
        using var scope = NewDisposeScope();
        using var weights = Open(name);
        var written = WeightsExport.ToSafetensors(weights, null, PixelNormalization.ImageNet, _folder["all.safetensors"]);
        Assert.Equal(weights.Present, written);
        using var again = PretrainedWeights.Open(_folder["all.safetensors"]);
        Assert.Equal((weights.Encoder, weights.Objective, "teacher"), (again.Encoder, again.Objective, again.Evaluated));
        foreach (var tensor in weights.Tensors.Keys) Assert.True(weights.Read(tensor).Equals(again.Read(tensor)));
        Assert.Equal(["teacher"], WeightsExport.ToHuggingFace(weights, null, PixelNormalization.ImageNet, _folder["hf"]));
        Assert.Contains("\"ViTModel\"", File.ReadAllText(_folder["hf/config.json"]), StringComparison.Ordinal);
        using var theirs = PretrainedWeights.Open(_folder["hf"]);
        using var encoder = PretrainedNetworks.LoadEncoder(theirs);
        using var own = PretrainedNetworks.LoadEncoder(weights);
        var images = randn([2, 3, 32, 32], generator: new Generator(1));
        Assert.True(own.forward(images).allclose(encoder.forward(images), atol: 1e-6));
    }

    /// <summary>As the published evaluations take them: of the last blocks each through the norm, and class token and mean in both orders.</summary>
    [Theory]
    [MemberData(nameof(WithFeatures))]
    public void Features_OfTheCheckpoint_AreThePublishedOnes(string name)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var features = SafetensorsFile.Open(RecordedFolders.PathOf(name, "features.safetensors"));
        using var weights = Open(name);
        using var encoder = PretrainedNetworks.LoadEncoder(weights);
        var (images, interleaved) = (features.Read("pixel_values"), features.Read("class_and_mean_interleaved"));
        AssertClose("class_token", new EncoderOutput(), features.Read("class_token"));
        AssertClose("class_tokens_last2", new EncoderOutput(2) { NormsEach = true }, features.Read("class_tokens_last2"));
        AssertClose("interleaved", new EncoderOutput { Together = ClassAndMean.Interleaved }, interleaved);
        var sideBySide = interleaved.view(2, -1, 2).transpose(1, 2).flatten(1);
        AssertClose("side by side", new EncoderOutput { Together = ClassAndMean.SideBySide }, sideBySide);
        Assert.Equal(interleaved.shape[1], new EncoderOutput { Together = ClassAndMean.Interleaved }.WidthOf(encoder));
        var larger = encoder.forward(features.Read("pixel_values_larger"));
        Assert.True(RecordedRun.Difference(larger, features.Read("tokens_larger")).Absolute < 1e-5);

        void AssertClose(string what, EncoderOutput taken, Tensor expected)
        {
            var (absolute, _) = RecordedRun.Difference(taken.Of(encoder, images), expected);
            output.WriteLine($"{what}: largest absolute difference {absolute:g3}");
            Assert.True(absolute < 1e-5, $"{what} differs by {absolute}");
        }
    }

    private static PretrainedWeights Open(string name) => PretrainedWeights.Open(RecordedFolders.PathOf(name, "checkpoint.pth"), Heads);
}
