using JepaSharp.Weights;

namespace JepaSharp.Cli.Display;

/// <summary>What the three networks are called in sentences.</summary>
internal static class NetworkNames
{
    public static string Of(Networks network) => network switch
    {
        Networks.ContextEncoder => "context encoder",
        Networks.TargetEncoder => "target encoder",
        _ => "predictor",
    };
}
