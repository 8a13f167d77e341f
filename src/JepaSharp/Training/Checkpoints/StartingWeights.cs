using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Training.Checkpoints;

/// <summary>Puts pretrained weights into a run before its first step.</summary>
/// <remarks>
/// An encoder that the file lacks starts as a copy of the other; a predictor that it lacks stays as it was drawn. AdamW's moments are taken over where the
/// file has them, with the number of its steps, on which their bias correction depends; the run's own steps and schedules begin at 0.
/// </remarks>
internal static class StartingWeights
{
    /// <summary>Loads what there is.</summary>
    /// <param name="weights">Where from.</param>
    /// <param name="step">The run, not yet begun.</param>
    /// <returns>What was and what was not found, a sentence each.</returns>
    /// <exception cref="JepaException">The shapes differ from the run's; lists how.</exception>
    public static IReadOnlyList<string> Apply(PretrainedWeights weights, PretrainStep step)
    {
        var (context, predictor, target) = (step.Objective.ContextEncoder, step.Objective.Predictor, step.Objective.TargetEncoder);
        RequireSameShape(weights, context.Shape, predictor.Shape);
        weights.Require(weights.Present);
        var said = new List<string>();
        var only = weights.Present & (Networks.ContextEncoder | Networks.TargetEncoder);
        Load(weights, only.HasFlag(Networks.ContextEncoder) ? Networks.ContextEncoder : Networks.TargetEncoder, context, context.Shape);
        Load(weights, only.HasFlag(Networks.TargetEncoder) ? Networks.TargetEncoder : Networks.ContextEncoder, target, context.Shape);
        said.Add(only switch
        {
            Networks.ContextEncoder => "context encoder: found; target encoder: not found, starts as a copy of it",
            Networks.TargetEncoder => "target encoder: found; context encoder: not found, starts as a copy of it",
            _ => "context encoder and target encoder: found",
        });
        if (weights.Present.HasFlag(Networks.Predictor)) Load(weights, Networks.Predictor, predictor, context.Shape);
        said.Add(weights.Present.HasFlag(Networks.Predictor) ? "predictor: found" : "predictor: not found, starts from random weights");
        if (OtherGrid(weights.Architecture, context.Shape))
        {
            said.Add(string.Create(CultureInfo.InvariantCulture,
                $"positions: interpolated from a grid of {weights.Architecture.GridHeight}x{weights.Architecture.GridWidth} to {context.Shape.GridHeight}x{context.Shape.GridWidth}"));
        }

        said.Add(LoadOptimizer(weights, step));
        step.WeightsReplaced();
        return said;
    }

    /// <summary>Says where the run normalises pixels otherwise than the weights' own training did.</summary>
    public static IReadOnlyList<string> OtherNormalization(PretrainedWeights weights, DataOptions data)
    {
        double[] mean = [data.Mean.Red, data.Mean.Green, data.Mean.Blue], deviation = [data.Std.Red, data.Std.Green, data.Std.Blue];
        if (weights.Normalization is not { } theirs || (Near(theirs.Mean, mean) && Near(theirs.Deviation, deviation))) return [];
        return [$"normalisation: the weights were trained with mean {Text(theirs.Mean)} and deviation {Text(theirs.Deviation)}, "
            + $"the run has {Text(mean)} and {Text(deviation)} (data.mean, data.std): its encoder sees other numbers than it knows"];

        static bool Near(IReadOnlyList<double> a, double[] b) =>
            a.Count == b.Length && a.Zip(b).All(pair => Math.Abs(pair.First - pair.Second) < 1e-6);
        static string Text(IEnumerable<double> numbers) =>
            string.Join(' ', numbers.Select(number => number.ToString("0.####", CultureInfo.InvariantCulture)));
    }

    private static bool OtherGrid(VisionTransformerShape a, VisionTransformerShape b) => (a.GridHeight, a.GridWidth) != (b.GridHeight, b.GridWidth);

    private static void Load(PretrainedWeights weights, Networks which, nn.Module network, VisionTransformerShape shape)
    {
        var from = weights.Architecture;
        foreach (var (name, tensor) in network.state_dict())
        {
            var full = WeightNames.Prefix(which) + name;
            if (name.EndsWith("pos_embed", StringComparison.Ordinal) && OtherGrid(from, shape))
            {
                using var scope = NewDisposeScope();
                using var untracked = no_grad();
                var table = weights.Read(full).to(float32);
                _ = tensor.copy_(PositionTable.Interpolate(table, from.GridHeight, from.GridWidth, shape.GridHeight, shape.GridWidth));
            }
            else
            {
                weights.ReadInto(full, tensor);
            }
        }
    }

    private static string LoadOptimizer(PretrainedWeights weights, PretrainStep step)
    {
        if (weights.Optimizer is not { } state) return "optimizer's state: not found, starts at zero";
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var loaded = 0;
        foreach (var (prefix, parameters, optimizer) in ((string, FlatParameters, AdamW)[])[
            (WeightNames.Prefix(Networks.ContextEncoder), step.Context, step.ContextOptimizer), (WeightNames.Prefix(Networks.Predictor), step.Prediction, step.PredictorOptimizer)])
        {
            foreach (var (name, shape, start) in parameters.Layout)
            {
                if (!state.Moments.TryGetValue(prefix + name, out var moments) || !moments.First.Shape.SequenceEqual(shape)) continue;
                _ = FlatParameters.ViewOf(optimizer.FirstMoment, start, shape).copy_(moments.First.Read());
                _ = FlatParameters.ViewOf(optimizer.SecondMoment, start, shape).copy_(moments.Second.Read());
                loaded++;
            }
        }

        step.StartOptimizerAt(state.Step);
        return string.Create(CultureInfo.InvariantCulture, $"optimizer's state: found, AdamW of {loaded} parameters after {state.Step:n0} steps; the schedules begin anew");
    }

    private static void RequireSameShape(PretrainedWeights weights, VisionTransformerShape encoder, PredictorShape predictor)
    {
        var (theirs, problems) = (weights.Architecture, new List<string>());
        Compare("patch size", theirs.PatchSize, encoder.PatchSize, "mask.patch_size");
        Compare("channels", theirs.Channels, encoder.Channels, null);
        Compare("width", theirs.Width, encoder.Width, "meta.embed_dim");
        Compare("blocks", theirs.Depth, encoder.Depth, "meta.depth");
        if (theirs.Heads > 0) Compare("heads", theirs.Heads, encoder.Heads, "meta.num_heads");
        Compare("MLP width", theirs.MlpWidth, encoder.MlpWidth, "meta.mlp_ratio");
        if (weights.PredictorArchitecture is { } other)
        {
            Compare("predictor width", other.Width, predictor.Width, "meta.pred_emb_dim");
            Compare("predictor blocks", other.Depth, predictor.Depth, "meta.pred_depth");
            if (other.Heads > 0) Compare("predictor heads", other.Heads, predictor.Heads, "meta.pred_num_heads");
        }

        if (problems.Count > 0)
            throw new JepaException(
                $"The weights {weights.Path} are of another architecture than the run: {string.Join("; ", problems)}. Change the configuration, or leave it out: it then follows the weights.",
                isUsage: true);

        void Compare(string what, int found, int asked, string? key)
        {
            if (found != asked) problems.Add($"{what} {found}, the run has {asked}{(key is null ? "" : $" ({key})")}");
        }
    }
}
