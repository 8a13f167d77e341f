using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>What a student says, in as many numbers as its teacher: a linear layer for patches, and one for class tokens where there are any.
/// [.., D] -> [.., T].</summary>
public sealed class DistillationHead : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "patches")] private readonly Dense _patches;
    [ComponentName(Name = "class_token")] private readonly Dense? _classToken;

    /// <summary>Builds a head whose weights are not yet set: see <see cref="Initialization"/>.</summary>
    /// <param name="student">D.</param>
    /// <param name="teacher">T.</param>
    /// <param name="classToken">Whether class tokens are compared, too.</param>
    /// <param name="device">Where the weights live; meta for shapes alone. Null: the CPU.</param>
    public DistillationHead(int student, int teacher, bool classToken, Device? device = null)
        : base(nameof(DistillationHead))
    {
        using var outside = NewDisposeScope();
        _patches = new Dense("patches", [teacher, student], device);
        if (classToken) _classToken = new Dense("class_token", [teacher, student], device);
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>Of patches. [.., D] -> [.., T].</summary>
    public override Tensor forward(Tensor patches) => _patches.forward(patches);

    /// <summary>Of class tokens. [B, D] -> [B, T].</summary>
    /// <param name="tokens">The student's.</param>
    /// <exception cref="InvalidOperationException">There is no layer for them.</exception>
    public Tensor OfClassTokens(Tensor tokens) =>
        (_classToken ?? throw new InvalidOperationException("This head has no layer for class tokens.")).forward(tokens);
}
