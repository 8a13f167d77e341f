using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Models;

namespace JepaSharp.Weights;

/// <summary>What a reader of one format hands to <see cref="PretrainedWeights"/>: tensors in the published names, and whatever else the file
/// says.</summary>
internal sealed class WeightsSource(string path, WeightsFormat format, IDisposable file)
{
    public string Path { get; } = path;

    public WeightsFormat Format { get; } = format;

    /// <summary>Keeps the tensors readable.</summary>
    public IDisposable File { get; } = file;

    /// <summary>By full names, "encoder.norm.weight", in the file's order.</summary>
    public OrderedDictionary<string, LazyTensor> Tensors { get; } = [];

    /// <summary>Names of the networks that the file may hold, in order.</summary>
    public IReadOnlyList<string> Networks { get; private set; } = NetworkNames.OfImageJepa;

    /// <summary>The network that is to be used, if the file says.</summary>
    public string? Evaluated { get; private set; }

    /// <summary>What was learned, if the file says.</summary>
    public string? Objective { get; private set; }

    /// <summary>Names that could not be translated.</summary>
    public List<string> Unknown { get; } = [];

    /// <summary>Things that a user should know and that do not stop the reading.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>Keys of the dictionaries in which a checkpoint's weights lie, the outermost first; null for what is no checkpoint.</summary>
    public IReadOnlyList<string>? Inside { get; set; }

    /// <summary>Keys of a checkpoint's outermost dictionary.</summary>
    public IReadOnlyList<string> RootKeys { get; set; } = [];

    public int? Heads { get; set; }

    public int? PredictorHeads { get; set; }

    /// <summary>Numbers that the predictor predicts of a patch, if the file says that those are pixels.</summary>
    public int? PredictorOutputs { get; set; }

    /// <summary>Attention heads of MAE's decoder, if the file says.</summary>
    public int? DecoderHeads { get; set; }

    /// <summary>Whether MAE's targets were normalised in each patch, if the file says.</summary>
    public bool? NormalizesPatches { get; set; }

    public (int Height, int Width)? ImageSize { get; set; }

    /// <summary>Whether positions are learned, as far as the file says.</summary>
    public bool LearnedPositions { get; set; }

    /// <summary>How positions are brought to another grid, as far as the file says.</summary>
    public PositionResizing Resizing { get; set; }

    public PixelNormalization? Normalization { get; set; }

    public long? Epoch { get; set; }

    public int? Resample { get; set; }

    public AdamWState? Optimizer { get; set; }

    /// <summary>What an objective keeps beside its weights, such as a centre, by its names.</summary>
    public OrderedDictionary<string, LazyTensor> State { get; } = [];

    /// <summary>Says what was learned, which networks the file may hold, and which of them is to be used.</summary>
    public void Describe(string objective, IReadOnlyList<string> networks, string evaluated) =>
        (Objective, Networks, Evaluated) = (objective, networks, evaluated);

    /// <summary>Adds tensors whose names are a Hugging Face model's, the published ones, or an encoder's without prefix.</summary>
    /// <remarks>A lone encoder is taken as the target encoder, the one that is used and published; one with a class token is nobody's context and
    /// nobody's target, and beside it MAE's decoder may lie.</remarks>
    /// <returns>Whether the names are Hugging Face's.</returns>
    public bool AddFlat(IReadOnlyDictionary<string, LazyTensor> named)
    {
        var isTheirs = HuggingFaceNames.Recognize(named.Keys);
        if (isTheirs)
        {
            (named, var unknown) = HuggingFaceNames.ToOurs(named);
            Unknown.AddRange(unknown);
        }

        var names = named.Keys.Select(WeightNames.WithoutWrappers).ToHashSet();
        var lone = names.Contains("patch_embed.proj.weight");
        if (lone && names.Contains("cls_token"))
        {
            if (IsData2Vec(named)) (Networks, Objective) = (NetworkNames.OfData2Vec, MetaOptions.Data2Vec);
            else if (names.Contains("decoder_embed.weight"))
                (Networks, Objective) = (NetworkNames.OfMaskedAutoencoder, MetaOptions.MaskedAutoencoder);
            else Networks = [NetworkNames.ContextEncoder];
        }

        foreach (var (original, tensor) in named)
        {
            var name = WeightNames.WithoutWrappers(original);
            var (network, inner) = WeightNames.Split(name, Networks);
            if ((network is null ? name : inner) == StateLayout.RelativePlaces) continue;
            var full = network is not null ? $"{network}.{WeightNames.WithoutWrappers(inner)}" : lone ? $"{HomeOf(name)}.{name}" : null;
            if (full is null || !Tensors.TryAdd(full, tensor)) Unknown.Add(original);
        }

        if (lone && Objective is null && Networks is [NetworkNames.ContextEncoder]) LearnedPositions = HasLearnedPositions();

        return isTheirs;
    }

    /// <summary>Whether weights are those of BEiT's blocks with a head that ends in as many numbers as it reads: BEiT's own ends in a
    /// vocabulary.</summary>
    private static bool IsData2Vec(IReadOnlyDictionary<string, LazyTensor> named)
    {
        var head = named.FirstOrDefault(pair => WeightNames.WithoutWrappers(pair.Key) == NetworkNames.MaskedHead + ".weight").Value;
        return head?.Shape is [var outputs, var inputs] && outputs == inputs
            && named.Keys.Any(name => WeightNames.WithoutWrappers(name) == StateLayout.QueryBias);
    }

    /// <summary>A fixed table has nothing in a class token's row, as MAE's; a learned one, as DINO's and ViT's, has.</summary>
    private bool HasLearnedPositions()
    {
        if (!Tensors.TryGetValue($"{NetworkNames.ContextEncoder}.pos_embed", out var positions) || !positions.IsFloating
            || positions.Shape is not [1, > 0, > 0])
            return false;
        using var scope = TorchSharp.torch.NewDisposeScope();
        return positions.Read().select(1, 0).count_nonzero().item<long>() > 0;
    }

    /// <summary>The network that a name without one belongs to.</summary>
    private string HomeOf(string name) =>
        Networks.Contains(NetworkNames.Student) ? NetworkNames.Student
        : Networks.Contains(NetworkNames.TargetEncoder) ? NetworkNames.TargetEncoder
        : Networks.Contains(NetworkNames.Decoder) && HuggingFaceNames.IsOfDecoder(name) ? NetworkNames.Decoder
        : NetworkNames.ContextEncoder;

    /// <summary>Says what networks there may be, where no metadata does, and by what they were learned.</summary>
    public void LearnedBy(string objective, IReadOnlyList<string> networks) => (Objective, Networks) = (objective, networks);

    /// <summary>Takes over what our own metadata says. Before <see cref="AddFlat"/>: names are split by it.</summary>
    public void Take(IReadOnlyDictionary<string, string> metadata)
    {
        if (WeightsMetadata.NetworkList(metadata) is { } networks) Networks = networks;
        (Evaluated, Objective) = (metadata.GetValueOrDefault(WeightsMetadata.Evaluated), metadata.GetValueOrDefault(WeightsMetadata.Objective));
        Heads = WeightsMetadata.Number(metadata, WeightsMetadata.Heads);
        PredictorHeads = WeightsMetadata.Number(metadata, WeightsMetadata.PredictorHeads);
        PredictorOutputs = WeightsMetadata.Number(metadata, WeightsMetadata.PredictorOutputs);
        DecoderHeads = WeightsMetadata.Number(metadata, WeightsMetadata.DecoderHeads);
        NormalizesPatches = metadata.TryGetValue(WeightsMetadata.NormalizesPatches, out var normalizes) ? normalizes == "true" : null;
        if (WeightsMetadata.Number(metadata, WeightsMetadata.ImageHeight) is { } height
            && WeightsMetadata.Number(metadata, WeightsMetadata.ImageWidth) is { } width)
            ImageSize = (height, width);
        LearnedPositions = metadata.GetValueOrDefault(WeightsMetadata.Positions) == WeightsMetadata.Learned;
        foreach (var (kind, name) in WeightsMetadata.ResizingNames)
        {
            if (metadata.GetValueOrDefault(WeightsMetadata.Resizing) == name) Resizing = kind;
        }

        Normalization = WeightsMetadata.Normalization(metadata);
        Resample = WeightsMetadata.Number(metadata, WeightsMetadata.Resample);
        if (metadata.TryGetValue(WeightsMetadata.Epoch, out var epoch) && long.TryParse(
            epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            Epoch = number;
    }
}

/// <summary>What a path to weights turned out to be.</summary>
public enum WeightsFormat
{
    /// <summary>Safetensors with our metadata: a checkpoint of ours, alone or in its run folder, or an export.</summary>
    Native,

    /// <summary>Safetensors in the published names, without our metadata.</summary>
    Safetensors,

    /// <summary>A checkpoint of PyTorch: .pth.tar, .pth, .pt, .bin.</summary>
    TorchCheckpoint,

    /// <summary>An IJepaModel or a ViTMAEModel of Hugging Face: a folder, or its safetensors file.</summary>
    HuggingFace,
}
