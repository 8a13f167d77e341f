using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Evaluation;

/// <summary>The images to fit on and those to score on, which are never the same.</summary>
/// <param name="FitAddress">Where the images to fit on are, as a path with options.</param>
/// <param name="Fit">The images to fit on.</param>
/// <param name="TestAddress">Where the test images are.</param>
/// <param name="Test">The test images.</param>
/// <param name="Notes">What was chosen for the user.</param>
internal sealed record EvaluationImages(string FitAddress, ImageSource Fit, string TestAddress, ImageSource Test, IReadOnlyList<string> Notes)
    : IDisposable
{
    private const string Share = "0.2", Rest = "0.8";

    /// <summary>Opens both; without a test set, the test part of the same set, or else a fifth of the images.</summary>
    /// <exception cref="JepaException">Something is not there, or both are the same.</exception>
    public static EvaluationImages Open(string data, string? test, int? maxFit, int? maxTest)
    {
        if (test is not null)
        {
            RequireOther(data, test);
            return Limited(new EvaluationImages(data, ImageSources.Open(data), test, ImageSources.Open(test), []), maxFit, maxTest);
        }

        foreach (var part in (string[])["test", "val"])
        {
            if (TestPart(data, part) is { } found)
                return Limited(new EvaluationImages(data, ImageSources.Open(data), Option(data, $"part={part}"), found,
                    [$"scoring on the {part} part of {data}"]), maxFit, maxTest);
        }

        var (fitShare, testShare) = (Option(data, $"train-share={Rest}"), Option(data, $"test-share={Share}"));
        return Limited(
            new EvaluationImages(fitShare, ImageSources.Open(fitShare), testShare, ImageSources.Open(testShare),
                [$"no --test was given: scoring on a fifth of {data}, chosen by the images' names"]),
            maxFit,
            maxTest);
    }

    public void Dispose()
    {
        Fit.Dispose();
        Test.Dispose();
    }

    private static EvaluationImages Limited(EvaluationImages images, int? maxFit, int? maxTest) => images with
    {
        Fit = maxFit < images.Fit.Count ? new SourceSubset(images.Fit, maxFit.Value) : images.Fit,
        Test = maxTest < images.Test.Count ? new SourceSubset(images.Test, maxTest.Value) : images.Test,
    };

    /// <exception cref="JepaException">Both are the same.</exception>
    internal static void RequireOther(string data, string test)
    {
        if (string.Equals(Normal(data), Normal(test), StringComparison.Ordinal))
            throw new JepaException(
                $"--data and --test are the same images ({test}): a probe knows those it was fitted on, so the result would mean nothing. Give "
                    + $"other images to --test, "
                + "or leave it out to have a fifth held out.",
                isUsage: true);

        static string Normal(string address)
        {
            var mark = Path.Exists(address) ? -1 : address.LastIndexOf('#');
            var (path, options) = mark < 0 ? (address, "") : (address[..mark], address[mark..]);
            if (Directory.Exists(path))
                path = new DirectoryInfo(path) is { LinkTarget: not null } link ? link.ResolveLinkTarget(true)!.FullName : Path.GetFullPath(path);
            else if (File.Exists(path)) path = Path.GetFullPath(path);
            return Path.TrimEndingDirectorySeparator(path) + options;
        }
    }

    private static ImageSource? TestPart(string data, string part)
    {
        if (data.Contains("part=", StringComparison.Ordinal) || data.Contains("-share=", StringComparison.Ordinal)) return null;
        try
        {
            return ImageSources.Open(Option(data, $"part={part}"));
        }
        catch (JepaException)
        {
            return null; // it does not come in parts
        }
    }

    private static string Option(string address, string option) =>
        Path.Exists(address) || !address.Contains('#', StringComparison.Ordinal) ? $"{address}#{option}" : $"{address}&{option}";
}
