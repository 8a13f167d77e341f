namespace JepaSharp.Weights;

/// <summary>What a path to weights turned out to be.</summary>
public enum WeightsFormat
{
    /// <summary>Safetensors with our metadata: a checkpoint of ours, alone or in its run folder, or an export.</summary>
    Native,

    /// <summary>Safetensors in the published names, without our metadata.</summary>
    Safetensors,

    /// <summary>A checkpoint of PyTorch: .pth.tar, .pth, .pt, .bin.</summary>
    TorchCheckpoint,

    /// <summary>An IJepaModel of Hugging Face: a folder, or its safetensors file.</summary>
    HuggingFace,
}
