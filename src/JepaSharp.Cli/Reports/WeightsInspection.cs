using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Cli.Reports;

/// <summary>What weights hold, as a table, and what is wrong with them.</summary>
internal static class WeightsInspection
{
    private const int ShownNames = 5;

    /// <summary>Networks that have a line of their own for their shape.</summary>
    private static readonly string[] Described = ["encoder", "decoder"];

    /// <summary>Reads everything and prints it.</summary>
    public static void Print(string path, int? heads, Terminal terminal)
    {
        using var weights = PretrainedWeights.Open(path, heads);
        var survey = WeightsSurvey.Of(weights);
        var table = new ResultTable(null, "what", "value");
        foreach (var (what, value) in Facts(weights, survey)) table.Add(what, value);
        table.Print(terminal);
        var warnings = Warnings(weights, survey).ToList();
        if (warnings.Count > 0) terminal.Out.WriteLine();
        foreach (var warning in warnings) terminal.Out.WriteLine("warning: " + warning);
    }

    private static IEnumerable<(string What, string Value)> Facts(PretrainedWeights weights, WeightsSurvey survey)
    {
        yield return ("file", weights.Path);
        yield return ("format", FormatText(weights));
        yield return ("size", Megabytes(SizeOf(weights.Path)));
        yield return ("types", string.Join(", ", survey.Types.Select(t => $"{t.Key} ({t.Value} tensors)")));
        var encoder = weights.Architecture;
        yield return (
            "encoder", $"{PresetOf(encoder)}{encoder.Width} wide, {encoder.Depth} blocks, {HeadsText(encoder.Heads)}, MLP {encoder.MlpWidth}"
                + string.Concat(Parts(encoder).Select(part => ", " + part)));
        yield return ("images", string.Create(CultureInfo.InvariantCulture,
            $"{encoder.ImageHeight}x{encoder.ImageWidth} pixels, {encoder.Channels} channels, patch {encoder.PatchSize}: a grid of "
                + $"{encoder.GridHeight}x{encoder.GridWidth}"));
        if (weights.PredictorArchitecture is { } predictor)
            yield return ("predictor", $"{predictor.Width} wide, {predictor.Depth} blocks, {HeadsText(predictor.Heads)}"
                + (predictor.Outputs is { } numbers ? Invariant($", predicts the {numbers} pixel values of a patch") : ""));
        if (weights.DecoderArchitecture is { } decoder)
            yield return ("decoder", $"{decoder.Width} wide, {decoder.Depth} blocks, {HeadsText(decoder.Heads)}"
                + (weights.NormalizesPatches switch
                {
                    true => ", guesses pixels normalised in each patch",
                    false => ", guesses pixels",
                    null => "",
                }));
        if (weights.Objective is { } objective) yield return ("objective", objective);
        foreach (var network in weights.Present)
        {
            var title = weights.TitleOf(network);
            yield return (Described.Contains(title) ? $"the {title} has" : title, Invariant($"{weights.ParametersOf(network):n0} parameters"));
        }

        yield return ("epochs finished", weights.Epoch?.ToString(CultureInfo.InvariantCulture) ?? "not said");
        yield return ("normalisation", weights.Normalization is { } n ? $"mean {Numbers(n.Mean)}, deviation {Numbers(n.Deviation)}" : "not said");
        yield return ("optimizer state", OptimizerText(weights));
    }

    /// <summary>What an encoder has beside the usual, or lacks.</summary>
    private static IEnumerable<string> Parts(VisionTransformerShape encoder)
    {
        if (encoder.ClassToken) yield return "class token";
        if (encoder.LearnedPositions) yield return "learned positions";
        if (encoder.MaskToken) yield return "mask token";
        if (encoder.RelativePositions) yield return "relative positions shared by all blocks";
        if (!encoder.AbsolutePositions) yield return "no absolute positions";
        if (encoder.LayerScale) yield return "layer scale";
        if (!encoder.KeyBias) yield return "keys without a bias";
    }

    /// <summary>In a run's checkpoints it is a file beside the weights.</summary>
    private static string OptimizerText(PretrainedWeights weights)
    {
        const string beside = "optimizer.safetensors";
        if (weights.Optimizer is { } optimizer)
            return $"AdamW after {Quantity.Of(optimizer.Step, "step")}, {Quantity.Of(optimizer.Moments.Count, "parameter")}";
        var isBeside =
            weights.Format == WeightsFormat.Native && File.Exists(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(weights.Path))!, beside));
        return isBeside ? $"AdamW, in {beside} beside it" : "none";
    }

    private static IEnumerable<string> Warnings(PretrainedWeights weights, WeightsSurvey survey)
    {
        if (survey.NotFinite.Count > 0)
            yield return $"numbers that are not finite in {Quantity.Of(survey.NotFinite.Count, "tensor")}: {Some(survey.NotFinite)}. The training it "
                + "comes from had failed.";
        if (survey.AllZero.Count > 0)
            yield return $"{Quantity.Of(survey.AllZero.Count, "tensor is", "tensors are")} all zeros: {Some(survey.AllZero)}.";
        foreach (var network in weights.Networks.Except(weights.Present))
        {
            yield return network == NetworkNames.Predictor
                ? "there is no predictor: training that goes on from here begins with a fresh one."
                : $"there is no {weights.TitleOf(network)}.";
        }

        var (missing, mismatched, unknown) = (weights.Report.Missing, weights.Report.Mismatched, weights.Report.Unknown);
        if (missing.Count > 0) yield return $"{Quantity.Of(missing.Count, "weight is", "weights are")} missing: {Some(missing)}.";
        if (mismatched.Count > 0) yield return $"{Quantity.Of(mismatched.Count, "weight does", "weights do")} not fit: {Some(mismatched)}.";
        if (unknown.Count > 0)
            yield return $"{Quantity.Of(unknown.Count, "name means nothing here and is", "names mean nothing here and are")} passed over: "
                + $"{Some(unknown)}.";
        if (weights.Heads is null) yield return "nothing tells the number of attention heads; whatever uses these weights needs --heads N.";
        foreach (var warning in weights.Warnings) yield return warning;
    }

    private static string FormatText(PretrainedWeights weights) => weights.Format switch
    {
        WeightsFormat.Native => "safetensors of JepaSharp",
        WeightsFormat.Safetensors => "safetensors in the published names",
        WeightsFormat.TorchCheckpoint => "PyTorch checkpoint",
        _ when weights.Objective == MaskedSiamese.ShortName => "Hugging Face ViTMSN model",
        _ => weights.Architecture switch
        {
            { KeyBias: false } => "Hugging Face Data2VecVision model",
            { ClassToken: true, LearnedPositions: true } => "Hugging Face ViT model",
            { ClassToken: true } => "Hugging Face ViTMAE model",
            _ => "Hugging Face I-JEPA model",
        },
    };

    private static string PresetOf(VisionTransformerShape shape) =>
        ModelPresets.Names.FirstOrDefault(name => ModelPresets.Encoder(name, shape.PatchSize, shape.PatchSize) is var preset
            && (preset.Width, preset.Depth, preset.MlpWidth) == (shape.Width, shape.Depth, shape.MlpWidth)) is { } found
            ? $"{found}: "
            : "";

    /// <summary>Of the file, or of all shards where it is an index.</summary>
    private static long SizeOf(string path)
    {
        const string index = ".index.json";
        if (!path.EndsWith(index, StringComparison.OrdinalIgnoreCase)) return new FileInfo(path).Length;
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var ending = path.EndsWith(".bin.index.json", StringComparison.OrdinalIgnoreCase) ? "*.bin" : "*.safetensors";
        return Directory.EnumerateFiles(folder, ending).Sum(file => new FileInfo(file).Length);
    }

    private static string HeadsText(int heads) => heads > 0 ? Invariant($"{heads} heads") : "heads not known";

    private static string Megabytes(long bytes) => Invariant($"{bytes / 1e6:n1} MB");

    private static string Numbers(IEnumerable<double> numbers) =>
        string.Join(' ', numbers.Select(number => number.ToString("0.####", CultureInfo.InvariantCulture)));

    private static string Some(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(ShownNames)) + (names.Count > ShownNames ? $" and {names.Count - ShownNames} more" : "");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
