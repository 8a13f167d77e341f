using JepaSharp.Models;

namespace JepaSharp.Objectives;

/// <summary>A batch's context and target blocks on the device.</summary>
/// <param name="Context">Mc context blocks of Kc patches an image.</param>
/// <param name="Targets">Mt target blocks of Kt patches an image.</param>
public sealed record JepaMasks(PatchSelection Context, PatchSelection Targets) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Context.Dispose();
        Targets.Dispose();
    }
}
