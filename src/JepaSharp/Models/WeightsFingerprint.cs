using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>SHA-256 over the names and numbers of all weights of a network.</summary>
public static class WeightsFingerprint
{
    /// <summary>The fingerprint, as 64 hexadecimal digits.</summary>
    public static string Of(nn.Module network)
    {
        ArgumentNullException.ThrowIfNull(network);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, parameter) in network.named_parameters())
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} [{string.Join(", ", parameter.shape)}]\n"));
            hash.AppendData(parameter.detach().cpu().contiguous().bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
