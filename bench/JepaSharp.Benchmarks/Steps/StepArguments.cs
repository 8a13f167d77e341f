using System.Globalization;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>Options of the form <c>--name value</c>, or <c>--name</c> alone.</summary>
internal sealed class StepArguments
{
    private readonly Dictionary<string, string> _values = [];

    public StepArguments(IReadOnlyList<string> arguments, params IReadOnlyList<string> known)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i].StartsWith("--", StringComparison.Ordinal) ? arguments[i][2..] : "";
            if (!known.Contains(name))
                throw new JepaException(
                    $"\"{arguments[i]}\" is not known here; known are {string.Join(", ", known.Select(k => "--" + k))}.", isUsage: true);
            var hasValue = i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal);
            _values[name] = hasValue ? arguments[++i] : "";
        }
    }

    /// <summary>What a run would choose for an encoder, unless a number format or a computation's key is given.</summary>
    public Computation Computation(VisionTransformerShape encoder) => Text("precision", "auto") switch
    {
        "auto" => ComputationChoice.For(Precision.Auto, CPU, encoder, trained: true).Computation,
        "bf16" => ScalarType.BFloat16,
        "fp32" => ScalarType.Float32,
        var key => Models.Accelerated.Computation.Of(key) ?? throw new JepaException(
            $"Precision \"{key}\" is not known. Use auto, fp32, bf16 or one of {string.Join(", ", Models.Accelerated.Computation.Keys)}.",
                isUsage: true),
    };

    public bool Flag(string name) => _values.ContainsKey(name);

    public string Text(string name, string otherwise) => _values.GetValueOrDefault(name, otherwise);

    public int Number(string name, int otherwise) => !_values.TryGetValue(name, out var text)
        ? otherwise
        : int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : throw new JepaException(
            $"--{name} is \"{text}\"; expected a whole number.", isUsage: true);
}
