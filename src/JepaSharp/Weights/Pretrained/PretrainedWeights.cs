using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>Weights from anywhere: a run folder, a checkpoint of ours, a published .pth.tar, a .safetensors file or a Hugging Face folder.</summary>
/// <remarks>Opening reads names and shapes; numbers are fetched one tensor at a time.</remarks>
public sealed class PretrainedWeights : IDisposable
{
    /// <summary>What may lie beside an encoder with a class token, and changes nothing of what it says.</summary>
    private static readonly string[] BesideAnEncoder = ["head.", "mask_token", "masked_embed", "pre_logits.", "lm_head."];

    private readonly WeightsSource _source;
    private readonly VisionTransformerShape _encoder;
    private readonly PredictorShape? _predictor;
    private readonly OrderedDictionary<string, LazyTensor> _tensors = [];

    private PretrainedWeights(WeightsSource source, int? heads)
    {
        _source = source;
        var found = source.Tensors.Keys.Select(name => WeightNames.Split(name, source.Networks).Network).ToHashSet();
        Present = [.. source.Networks.Where(found.Contains)];
        Evaluated = Choose(source.Evaluated);
        if (heads is { } asked && source.Heads is { } known && asked != known)
        {
            throw new WeightsFileException(
                source.Path, $"{known} attention heads in what the file says", $"the {asked} that were asked for: leave them out, the file knows");
        }

        source.Heads ??= heads;
        _encoder = ArchitectureReader.Encoder(source, Evaluated + ".");
        var mlp = 0;
        if (IsPredictor(NetworkNames.Predictor)) (_predictor, mlp) = ArchitectureReader.Predictor(source, _encoder);
        if (Present.Contains(NetworkNames.Decoder)) DecoderArchitecture = ArchitectureReader.Decoder(source);
        Report = Compare(mlp);
        if (_encoder.ClassToken) RequirePlain();
    }

    /// <summary>The file that was opened; for a folder, the one in it.</summary>
    public string Path => _source.Path;

    /// <summary>What it turned out to be.</summary>
    public WeightsFormat Format => _source.Format;

    /// <summary>Names of the networks of which the file has weights, in order. A lone encoder counts as I-JEPA's target encoder.</summary>
    public IReadOnlyList<string> Present { get; }

    /// <summary>Names of the networks that a file of its kind may hold.</summary>
    public IReadOnlyList<string> Networks => _source.Networks;

    /// <summary>Name of the encoder that is to be used: the one that the file says, else I-JEPA's target encoder, else its context encoder.</summary>
    public string Evaluated { get; }

    /// <summary>What was learned, if the file says.</summary>
    public string? Objective => _source.Objective;

    /// <summary>Names of the networks that are encoders.</summary>
    public IReadOnlyList<string> Encoders => [.. Present.Where(IsEncoder)];

    /// <summary>Whether the file has weights of a network.</summary>
    /// <param name="network">Its name: what its weights' names begin with, up to the first dot.</param>
    public bool Has(string network) => Present.Contains(network);

    /// <summary>The known weights by full name ("target_encoder.norm.weight"), readable until this is disposed of.</summary>
    public IReadOnlyDictionary<string, LazyTensor> Tensors => _tensors;

    /// <summary>What is missing, unknown or of another shape.</summary>
    public WeightsReport Report { get; }

    /// <summary>Further things worth telling a user, whole sentences.</summary>
    public IReadOnlyList<string> Warnings => _source.Warnings;

    /// <summary>How pixels were normalised in training, if the file says.</summary>
    public PixelNormalization? Normalization => _source.Normalization;

    /// <summary>How images were resized in training, as Pillow numbers it (2 bilinear, 3 bicubic), if the file says.</summary>
    public int? Resample => _source.Resample;

    /// <summary>Epochs finished, if the file says.</summary>
    public long? Epoch => _source.Epoch;

    /// <summary>The optimizer's state, where the file is a published checkpoint that has one.</summary>
    public AdamWState? Optimizer => _source.Optimizer;

    /// <summary>What an objective keeps beside its weights, such as DINO's centre, by its names, where a published checkpoint has it.</summary>
    public IReadOnlyDictionary<string, LazyTensor> State => _source.State;

    /// <summary>A: the number of attention heads, if the file or its width tells.</summary>
    public int? Heads => _encoder.Heads > 0 ? _encoder.Heads : null;

    /// <summary>The encoders' shape as far as the file tells: its heads are 0 where they are not known.</summary>
    public VisionTransformerShape Architecture => _encoder;

    /// <summary>The predictor's shape as far as the file tells: its heads are 0 where they are not known. Null if the file has no
    /// predictor.</summary>
    public PredictorShape? PredictorArchitecture => _predictor;

    /// <summary>The shape of MAE's decoder as far as the file tells: its heads are 0 where they are not known. Null if the file has none.</summary>
    public PixelDecoderShape? DecoderArchitecture { get; }

    /// <summary>Whether MAE's decoder was trained to guess pixels normalised in each patch, if the file says.</summary>
    public bool? NormalizesPatches => _source.NormalizesPatches;

    /// <summary>What a network of the file is called in sentences: "context encoder" beside a predictor and a target encoder, else
    /// "encoder".</summary>
    /// <param name="network">Its name.</param>
    public string TitleOf(string network) =>
        Networks.Contains(NetworkNames.TargetEncoder) && Networks.Contains(NetworkNames.Predictor)
            ? NetworkNames.Title(network)
            : (network ?? "").Replace('_', ' ');

    /// <summary>The encoders' shape.</summary>
    /// <exception cref="WeightsFileException">The number of heads is not known: give it to <see cref="Open"/>.</exception>
    public VisionTransformerShape Encoder => _encoder.Heads > 0
        ? Sound(_encoder.Validated)
        : throw new WeightsFileException(Path,
            $"nothing that tells the number of attention heads (the width, {_encoder.Width}, is none of the published models')",
            "the number to be given");

    /// <summary>The predictor's shape; null if the file has no predictor.</summary>
    /// <exception cref="WeightsFileException">The number of heads is not known: give it to <see cref="Open"/>.</exception>
    public PredictorShape? Predictor => _predictor is null || _predictor.Heads > 0
        ? _predictor is null ? null : Sound(_predictor.Validated)
        : throw new WeightsFileException(Path, "nothing that tells the number of the predictor's attention heads", "the number to be given");

    /// <summary>Works out what lies at a path and opens it.</summary>
    /// <param name="path">A run folder (its latest checkpoint), a checkpoint folder, a .pth.tar, .pth, .pt, .bin or .safetensors file, the index of a
    /// sharded set, or a Hugging Face folder.</param>
    /// <param name="heads">A, the encoder's number of attention heads, where the file does not tell. Used only then.</param>
    /// <exception cref="WeightsFileException">There is nothing there, it is damaged or hostile, or it is no model that is known here.</exception>
    public static PretrainedWeights Open(string path, int? heads = null)
    {
        var source = WeightsLocator.Open(path);
        try
        {
            return new PretrainedWeights(source, heads);
        }
        catch
        {
            source.File.Dispose();
            throw;
        }
    }

    /// <summary>Whether a path looks like weights, by its name and what lies in it; <see cref="Open"/> may still refuse them.</summary>
    /// <param name="path">A file or a folder.</param>
    public static bool AreAt(string path) => WeightsLocator.AreAt(path);

    /// <summary>How many numbers one network learns: everything but its fixed position table.</summary>
    public long ParametersOf(string network) =>
        Network(network).Where(pair => _encoder.LearnedPositions || !pair.Key.EndsWith("pos_embed", StringComparison.Ordinal))
            .Sum(pair => pair.Value.Count);

    /// <summary>The weights of one network, by names inside it ("norm.weight"), in the file's order.</summary>
    public IReadOnlyDictionary<string, LazyTensor> Network(string network)
    {
        var prefix = network + ".";
        var inner = new OrderedDictionary<string, LazyTensor>();
        foreach (var (name, tensor) in _tensors)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)) inner.Add(name[prefix.Length..], tensor);
        }

        return inner;
    }

    /// <summary>Checks that networks are there, whole and of the right shapes.</summary>
    /// <param name="networks">Names of those that are needed.</param>
    /// <exception cref="WeightsFileException">Something is missing or misshapen; the message lists it.</exception>
    public void Require(params IReadOnlyList<string> networks)
    {
        ArgumentNullException.ThrowIfNull(networks);
        string Titles(IEnumerable<string> names) => string.Join(", ", names.Select(TitleOf));
        if (networks.Except(Present).Any())
            throw new WeightsFileException(Path, $"the weights of: {Titles(Present)}", $"those of: {Titles(networks)}");
        bool Concerns(string name) => networks.Any(network => name.StartsWith(network + ".", StringComparison.Ordinal));
        var problems = new WeightsReport([.. Report.Missing.Where(Concerns)], [], [.. Report.Mismatched.Where(Concerns)]);
        if (!problems.IsClean)
            throw new WeightsFileException(
                Path, $"weights that do not fit together ({problems.ToString().Replace("\n", "; ", StringComparison.Ordinal)})", "all of them");
    }

    /// <summary>Fetches one tensor and checks its numbers. It belongs to the caller.</summary>
    /// <param name="name">The full name.</param>
    /// <exception cref="WeightsFileException">There is no such tensor, the file is damaged, or a number is NaN or infinite.</exception>
    public Tensor Read(string name)
    {
        var lazy = Find(name);
        var tensor = lazy.Read();
        try
        {
            RequireFinite(name, lazy, tensor);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>Fetches one tensor into another and checks its numbers. Where type and device allow, without a copy in between.</summary>
    /// <param name="name">The full name.</param>
    /// <param name="destination">Of the same shape; any type and device.</param>
    /// <exception cref="WeightsFileException">There is no such tensor, it has another shape, the file is damaged, or a number is NaN or
    /// infinite.</exception>
    public void ReadInto(string name, Tensor destination)
    {
        var lazy = Find(name);
        if (!lazy.Shape.SequenceEqual(destination.shape))
            throw new WeightsFileException(
                Path, $"'{SafetensorsHeader.Shown(name)}' of {lazy}", $"the shape [{string.Join(", ", destination.shape)}]");
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        if (lazy.Type == destination.dtype && destination.device.type == TorchSharp.DeviceType.CPU && destination.is_contiguous())
        {
            lazy.RequireSpanSized();
            lazy.CopyTo(destination.bytes);
            RequireFinite(name, lazy, destination);
        }
        else
        {
            var read = lazy.Read();
            RequireFinite(name, lazy, read);
            _ = destination.copy_(read);
        }
    }

    /// <summary>Closes the files. Tensors already read stay.</summary>
    public void Dispose() => _source.File.Dispose();

    private LazyTensor Find(string name) => _tensors.TryGetValue(name, out var lazy)
        ? lazy
        : throw new WeightsFileException(Path, $"no '{SafetensorsHeader.Shown(name)}'", "it among the weights");

    private void RequireFinite(string name, LazyTensor lazy, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        if (!lazy.IsFloating || tensor.isfinite().all().item<bool>()) return;
        var bad = tensor.isfinite().logical_not().sum().item<long>();
        throw new WeightsFileException(Path, $"{bad} of {lazy.Count} numbers in '{SafetensorsHeader.Shown(name)}' that are NaN or infinite",
            "finite weights: the training it comes from had failed");
    }

    private T Sound<T>(Func<T> validate)
    {
        try
        {
            return validate();
        }
        catch (ArgumentException e)
        {
            throw new WeightsFileException(Path, $"an architecture that does not fit together ({e.Message.TrimEnd('.')})", "one that does", e);
        }
    }

    private WeightsReport Compare(int predictorMlpWidth)
    {
        var (missing, mismatched) = (new List<string>(), new List<string>());
        var expected = new HashSet<string>();
        foreach (var network in Present)
        {
            var layout = IsPredictor(network) ? StateLayout.Predictor(_predictor!, _encoder, predictorMlpWidth)
                : IsEncoder(network) ? StateLayout.Encoder(_encoder)
                : network == NetworkNames.Decoder && DecoderArchitecture is { } decoder ? StateLayout.Decoder(decoder, _encoder)
                : AsTheyAre(network); // a head, say, whose shapes are its objective's business
            foreach (var (inner, shape) in layout)
            {
                var name = $"{network}.{inner}";
                expected.Add(name);
                if (!_source.Tensors.TryGetValue(name, out var tensor)) missing.Add(name);
                else if (!tensor.Shape.SequenceEqual(shape)) mismatched.Add($"{name} is {tensor}, not [{string.Join(", ", shape)}]");
                else if (!tensor.IsFloating) mismatched.Add($"{name} is {tensor}, not of a floating-point type");
            }
        }

        foreach (var (name, tensor) in _source.Tensors)
        {
            if (expected.Contains(name)) _tensors.Add(name, tensor);
            else _source.Unknown.Add(name);
        }

        return new WeightsReport(missing, _source.Unknown, mismatched);
    }

    /// <summary>Many architectures have a class token. Where one has weights that ours lacks, what is left would compute something else.</summary>
    private void RequirePlain()
    {
        const int shown = 3;
        var prefix = Evaluated + ".";
        var inside = Report.Unknown.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..]);
        List<string> foreign = [.. inside.Where(
            name => !Array.Exists(BesideAnEncoder, known => name.StartsWith(known, StringComparison.Ordinal)))];
        if (foreign.Count > 0)
            throw new WeightsFileException(
                Path,
                $"weights that a plain Vision Transformer has not ({string.Join(", ", foreign.Take(shown).Select(SafetensorsHeader.Shown))}"
                    + (foreign.Count > shown ? $" and {foreign.Count - shown} more)" : ")"),
                "an encoder without them, as MAE, DINO and ViT are: left out, the others would mean something else");
    }

    // I-JEPA's networks are what their names say, however incomplete; others are known by their weights.
    private bool IsEncoder(string network) =>
        network is NetworkNames.ContextEncoder or NetworkNames.TargetEncoder || _source.Tensors.ContainsKey(network + ".patch_embed.proj.weight");

    private bool IsPredictor(string network) =>
        network == NetworkNames.Predictor && Present.Contains(network) && _source.Networks.Intersect(NetworkNames.OfImageJepa).Any();

    private IEnumerable<(string Name, long[] Shape)> AsTheyAre(string network) => _source.Tensors
        .Where(pair => pair.Key.StartsWith(network + ".", StringComparison.Ordinal))
        .Select(pair => (pair.Key[(network.Length + 1)..], pair.Value.Shape.ToArray()));

    private string Choose(string? said)
    {
        if (said is not null && Present.Contains(said)) return said;
        if (Present.Contains(NetworkNames.TargetEncoder)) return NetworkNames.TargetEncoder;
        return Present.FirstOrDefault(IsEncoder) ?? NetworkNames.ContextEncoder;
    }
}
