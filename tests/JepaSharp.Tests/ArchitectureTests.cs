using System.Text.RegularExpressions;

namespace JepaSharp.Tests;

/// <summary>Dependencies between the library's folders point one way.</summary>
public sealed partial class ArchitectureTests
{
    /// <summary>What each folder may use, beside itself.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Runtime"] = ["Kernels"],
        ["Kernels"] = [],
        ["Configuration"] = ["Runtime"],
        ["Masking"] = ["Runtime", "Configuration"],
        ["Data"] = ["Runtime", "Configuration"],
        ["Pictures"] = ["Runtime", "Data", "Masking"],
        ["Models"] = ["Runtime", "Kernels", "Configuration", "Masking", "Data"],
        ["Objectives"] = ["Runtime", "Configuration", "Masking", "Data", "Pictures", "Models"],
        ["Optimization"] = ["Runtime", "Kernels", "Models"],
        ["Weights"] = ["Runtime", "Configuration", "Models"],
        ["Evaluation"] = ["Runtime", "Configuration", "Models", "Optimization", "Data", "Weights"],
        ["Training"] = ["Runtime", "Configuration", "Masking", "Data", "Models", "Objectives", "Optimization", "Weights"],
        ["Monitoring"] = ["Runtime", "Configuration", "Masking", "Data", "Models", "Objectives", "Weights", "Evaluation", "Training"],
        ["Reports"] = ["Runtime", "Configuration", "Masking", "Data", "Pictures", "Models", "Objectives", "Weights", "Evaluation", "Training", "Monitoring"],
        ["Runs"] =
        [
            "Runtime", "Configuration", "Masking", "Data", "Pictures", "Models", "Objectives", "Optimization", "Weights", "Evaluation", "Training", "Monitoring",
            "Reports",
        ],
    };

    [Fact]
    public void Folders_OfTheLibrary_UseOnlyWhatTheyMay()
    {
        var source = Path.Combine(RepositoryRoot(), "src", "JepaSharp");
        var violations = new List<string>();
        foreach (var file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(source, file).Replace('\\', '/');
            var folder = relative.Split('/')[0];
            if (folder is "obj" or "bin" or "buildTransitive") continue;
            Assert.True(Allowed.ContainsKey(folder), $"{folder} has no rule: say in {nameof(ArchitectureTests)} what it may use");
            foreach (var used in NamespaceUse().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value).Distinct())
            {
                if (used != folder && Allowed.ContainsKey(used) && !Allowed[folder].Contains(used)) violations.Add($"{relative} uses {used}");
            }
        }

        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }

    [Fact]
    public void Data_UsesNoTensors()
    {
        var source = Path.Combine(RepositoryRoot(), "src", "JepaSharp", "Data");
        var users = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories).Where(f => File.ReadAllText(f).Contains("TorchSharp", StringComparison.Ordinal));
        Assert.Empty(users);
    }

    internal static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "JepaSharp.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests do not lie inside the repository.");
    }

    [GeneratedRegex(@"\bJepaSharp\.([A-Z]\w+)")]
    private static partial Regex NamespaceUse();
}
