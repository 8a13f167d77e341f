using static TorchSharp.torch;

namespace JepaSharp.Models.Diffusion;

/// <summary>Parts of a network under names of their own, such as the places in a sequence that published names count.</summary>
internal sealed class NamedParts : nn.Module
{
    public NamedParts(params IEnumerable<(string Name, nn.Module Part)> parts)
        : base(nameof(NamedParts))
    {
        foreach (var (name, part) in parts) register_module(name, part);
    }
}
