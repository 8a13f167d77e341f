using System.Text.RegularExpressions;

namespace JepaSharp.Tests;

/// <summary>Dependencies between the library's folders point one way.</summary>
public sealed partial class ArchitectureTests
{
    /// <summary>max_line_length of .editorconfig.</summary>
    private const int LineWidth = 150;

    /// <summary>What each folder may use, beside itself.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Runtime"] = ["Kernels"],
        ["Kernels"] = [],
        ["Masking"] = ["Runtime"],
        ["Data"] = ["Runtime"],
        ["Configuration"] = ["Runtime", "Masking", "Data"],
        ["Pictures"] = ["Runtime", "Data", "Masking"],
        ["Models"] = ["Runtime", "Kernels", "Configuration", "Masking", "Data"],
        ["Objectives"] = ["Runtime", "Configuration", "Masking", "Data", "Pictures", "Models"],
        ["Optimization"] = ["Runtime", "Configuration", "Kernels", "Models"],
        ["Weights"] = ["Runtime", "Configuration", "Models"],
        ["Evaluation"] = ["Runtime", "Configuration", "Models", "Optimization", "Data", "Weights"],
        ["Training"] = ["Runtime", "Configuration", "Masking", "Data", "Models", "Objectives", "Optimization", "Weights"],
        ["Monitoring"] = ["Runtime", "Configuration", "Masking", "Data", "Models", "Objectives", "Weights", "Evaluation", "Training"],
        ["Reports"] =
            ["Runtime", "Configuration", "Masking", "Data", "Pictures", "Models", "Objectives", "Weights", "Evaluation", "Training", "Monitoring"],
        ["Studies"] =
        [
            "Runtime", "Configuration", "Masking", "Data", "Pictures", "Models", "Objectives", "Optimization", "Weights", "Evaluation", "Training",
            "Monitoring", "Reports", "Runs",
        ],
        ["Runs"] =
        [
            "Runtime", "Configuration", "Masking", "Data", "Pictures", "Models", "Objectives", "Optimization", "Weights", "Evaluation", "Training",
            "Monitoring",
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
        var users = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .Where(f => File.ReadAllText(f).Contains("TorchSharp", StringComparison.Ordinal));
        Assert.Empty(users);
    }

    /// <summary>One line width for all, that of .editorconfig.</summary>
    [Fact]
    public void Lines_OfAnyFile_KeepToOneWidth()
    {
        var root = RepositoryRoot();
        var tooLong =
            from folder in (string[])["src", "tests", "bench"]
            from file in Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories)
            let relative = Path.GetRelativePath(root, file).Replace('\\', '/')
            where !relative.Contains("/obj/", StringComparison.Ordinal) && !relative.Contains("/bin/", StringComparison.Ordinal)
            from line in LinesOutsideRawStrings(file)
            where line.Text.EnumerateRunes().Count() > LineWidth
            select $"{relative}:{line.Number} has {line.Text.EnumerateRunes().Count()} characters";
        var found = tooLong.ToList();
        Assert.True(found.Count == 0, $"More than {LineWidth} characters in a line:\n{string.Join('\n', found)}");
    }

    // What stands between triple quotes is what a program prints or reads, to the letter.
    private static IEnumerable<(string Text, int Number)> LinesOutsideRawStrings(string file)
    {
        var (inside, number) = (false, 0);
        foreach (var line in File.ReadLines(file))
        {
            number++;
            var quotes = TripleQuotes().Count(line);
            if (!inside && quotes == 0) yield return (line, number);
            if (quotes % 2 == 1) inside = !inside;
        }
    }

    internal static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "JepaSharp.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests do not lie inside the repository.");
    }

    [GeneratedRegex(@"\bJepaSharp\.([A-Z]\w+)")]
    private static partial Regex NamespaceUse();

    [GeneratedRegex("\"{3,}")]
    private static partial Regex TripleQuotes();
}
