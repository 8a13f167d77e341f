using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Training.Checkpoints;

/// <summary>Puts pretrained weights into a run before its first step.</summary>
/// <remarks>
/// An encoder that the file lacks starts as a copy of the other; a predictor that it lacks stays as it was drawn. AdamW's moments are taken over
/// where the file has them, with the number of its steps, on which their bias correction depends; the run's own steps and schedules begin at 0.
/// </remarks>
internal static class StartingWeights
{
    /// <summary>Loads what there is.</summary>
    /// <param name="weights">Where from.</param>
    /// <param name="training">The run, not yet begun.</param>
    /// <returns>What was and what was not found, a sentence each.</returns>
    /// <exception cref="JepaException">The shapes differ from the run's; lists how.</exception>
    public static IReadOnlyList<string> Apply(PretrainedWeights weights, TrainingState training)
    {
        var shape = training.Objective.Encoder.Shape;
        var predictor = training.Networks.Select(n => n.Network.Module).OfType<Predictor>().FirstOrDefault()?.Shape;
        var decoder = training.Networks.Select(n => n.Network.Module).OfType<PixelDecoder>().FirstOrDefault()?.Shape;
        RequireSameShape(weights, shape, predictor, decoder);
        weights.Require([.. weights.Present]);
        var said = new List<string>();
        List<Network> own = [.. training.Objective.Networks.Where(n => n.Role != NetworkRole.Frozen)];
        List<Network> found = [.. own.Where(n => weights.Has(n.Name))];
        foreach (var network in found) Load(weights, network.Name, network.Module, shape);
        List<Network> copied = [];
        var source = found.FirstOrDefault(n => ReferenceEquals(n.Module, training.Objective.Encoder)) ?? found.FirstOrDefault(
            n => n.Module is VisionTransformer);
        // Other objectives' encoders have other names: the one that the file says is to be used stands for any.
        var name = source?.Name ?? (weights.Encoders.Contains(weights.Evaluated) ? weights.Evaluated : null);
        foreach (var encoder in own.Where(n => n.Module is VisionTransformer && name is not null && !found.Contains(n)))
        {
            Load(weights, name!, encoder.Module, shape);
            said.Add(source is null
                ? $"{encoder.Title}: starts as a copy of the file's {weights.TitleOf(name!)}"
                : $"{source.Title}: found; {encoder.Title}: not found, starts as a copy of it");
        }

        // A head that follows another, or that another follows, is worth as much as an encoder.
        foreach (var head in own.Where(n => n.Module is not VisionTransformer && !weights.Has(n.Name)))
        {
            if (found.Find(n => n.Follows == head.Name || n.Name == head.Follows) is not { } partner) continue;
            Load(weights, partner.Name, head.Module, shape);
            copied.Add(head);
            said.Add($"{head.Title}: not found, starts as a copy of the {partner.Title}");
        }

        List<string> encoders = [.. found.Where(n => n.Module is VisionTransformer).Select(n => n.Title)];
        if (said.Count == copied.Count && encoders.Count > 0) said.Add(string.Join(" and ", encoders) + ": found");
        foreach (var other in own.Where(n => n.Module is not VisionTransformer && !copied.Contains(n)))
            said.Add(other.Title + (found.Contains(other) ? ": found" : ": not found, starts from random weights"));
        if (OtherGrid(weights.Architecture, shape))
        {
            said.Add(string.Create(CultureInfo.InvariantCulture,
                $"positions: interpolated from a grid of {weights.Architecture.GridHeight}x{weights.Architecture.GridWidth} to "
                    + $"{shape.GridHeight}x{shape.GridWidth}"));
        }

        if (LoadState(weights, training) is { } state) said.Add(state);
        said.Add(LoadOptimizer(weights, training));
        training.WeightsReplaced();
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

    private static void Load(PretrainedWeights weights, string which, nn.Module network, VisionTransformerShape shape)
    {
        var theirs = weights.Architecture;
        foreach (var (name, tensor) in network.state_dict())
        {
            var full = $"{which}.{name}";
            if (name.EndsWith("pos_embed", StringComparison.Ordinal) && OtherGrid(theirs, shape))
            {
                using var scope = NewDisposeScope();
                using var untracked = no_grad();
                var table = weights.Read(full).to(float32);
                _ = tensor.copy_(PositionTable.Resize(table, theirs with { Resizing = shape.Resizing }, shape.GridHeight, shape.GridWidth));
            }
            else if (name == StateLayout.RelativeTable && OtherGrid(theirs, shape))
            {
                using var scope = NewDisposeScope();
                using var untracked = no_grad();
                _ = tensor.copy_(RelativeTableResizing.Resize(
                    weights.Read(full).to(float32), (theirs.GridHeight, theirs.GridWidth), (shape.GridHeight, shape.GridWidth)));
            }
            else
            {
                weights.ReadInto(full, tensor);
            }
        }
    }

    private static string? LoadState(PretrainedWeights weights, TrainingState training)
    {
        List<StateTensor> found = [.. training.Objective.State.Where(
            s => weights.State.TryGetValue(s.Name, out var tensor) && tensor.Shape.SequenceEqual(s.Value.shape))];
        if (found.Count == 0) return null;
        using var untracked = no_grad();
        foreach (var state in found)
        {
            using var read = weights.State[state.Name].Read();
            _ = state.Value.copy_(read);
        }

        return $"{string.Join(" and ", found.Select(s => s.Name))}: found";
    }

    private static string LoadOptimizer(PretrainedWeights weights, TrainingState training)
    {
        if (weights.Optimizer is not { } state) return "optimizer's state: not found, starts at zero";
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var loaded = 0;
        foreach (var network in training.Trained)
        {
            foreach (var (name, shape, start) in network.Parameters.Layout)
            {
                if (!state.Moments.TryGetValue($"{network.Network.Name}.{name}", out var moments) || !moments.First.Shape.SequenceEqual(shape))
                    continue;
                _ = FlatParameters.ViewOf(network.Optimizer!.FirstMoment, start, shape).copy_(moments.First.Read());
                _ = FlatParameters.ViewOf(network.Optimizer.SecondMoment, start, shape).copy_(moments.Second.Read());
                loaded++;
            }
        }

        training.StartOptimizerAt(state.Step);
        return string.Create(CultureInfo.InvariantCulture,
            $"optimizer's state: found, AdamW of {Quantity.Of(loaded, "parameter")} after {Quantity.Of(state.Step, "step")}; the schedules "
                + $"begin anew");
    }

    private static void RequireSameShape(
        PretrainedWeights weights, VisionTransformerShape encoder, PredictorShape? predictor, PixelDecoderShape? decoder)
    {
        var (theirs, problems) = (weights.Architecture, new List<string>());
        Compare("patch size", theirs.PatchSize, encoder.PatchSize, "mask.patch_size");
        Compare("channels", theirs.Channels, encoder.Channels, null);
        Compare("width", theirs.Width, encoder.Width, "meta.embed_dim");
        Compare("blocks", theirs.Depth, encoder.Depth, "meta.depth");
        if (theirs.Heads > 0) Compare("heads", theirs.Heads, encoder.Heads, "meta.num_heads");
        Compare("MLP width", theirs.MlpWidth, encoder.MlpWidth, "meta.mlp_ratio");
        if (theirs.ClassToken != encoder.ClassToken)
            problems.Add($"{(theirs.ClassToken ? "a" : "no")} class token, the run has {(encoder.ClassToken ? "one" : "none")} (meta.objective)");
        foreach (var (what, found, asked) in ((string, bool, bool)[])[
            ("absolute positions", theirs.AbsolutePositions, encoder.AbsolutePositions),
            ("relative positions", theirs.RelativePositions, encoder.RelativePositions), ("layer scale", theirs.LayerScale, encoder.LayerScale),
            ("bias of keys", theirs.KeyBias, encoder.KeyBias)])
        {
            if (found != asked) problems.Add($"{(found ? "" : "no ")}{what}, which the run's encoder has{(asked ? "" : " not")} (meta.objective)");
        }

        if (weights.DecoderArchitecture is { } guessing && decoder is not null)
        {
            Compare("decoder width", guessing.Width, decoder.Width, "mae.decoder_width");
            Compare("decoder blocks", guessing.Depth, decoder.Depth, "mae.decoder_depth");
            if (guessing.Heads > 0) Compare("decoder heads", guessing.Heads, decoder.Heads, "mae.decoder_heads");
        }

        if (weights.PredictorArchitecture is { } other && predictor is not null)
        {
            Compare("predictor width", other.Width, predictor.Width, "meta.pred_emb_dim");
            Compare("predictor blocks", other.Depth, predictor.Depth, "meta.pred_depth");
            if (other.Heads > 0) Compare("predictor heads", other.Heads, predictor.Heads, "meta.pred_num_heads");
            if (other.Outputs != predictor.Outputs)
                problems.Add($"the predictor predicts {Predicted(other)}, the run's {Predicted(predictor)} (ijepa.target)");
        }

        if (problems.Count > 0)
            throw new JepaException(
                $"The weights {weights.Path} are of another architecture than the run: {string.Join("; ", problems)}. Change the configuration, or "
                    + $"leave it out: it then follows the weights.",
                isUsage: true);

        static string Predicted(PredictorShape shape) =>
            shape.Outputs is { } numbers ? Invariant($"the {numbers} pixel values of a patch") : "representations";

        static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

        void Compare(string what, int found, int asked, string? key)
        {
            if (found != asked) problems.Add($"{what} {found}, the run has {asked}{(key is null ? "" : $" ({key})")}");
        }
    }
}
