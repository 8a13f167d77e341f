namespace JepaSharp.Evaluation.Tasks;

/// <summary>One kind of features with a class for each image: to fit on, and, sealed, to score on.</summary>
/// <param name="Name">What a person would call the features.</param>
/// <param name="Fit">What is fitted and chosen on.</param>
/// <param name="Test">What the result is scored on.</param>
/// <param name="IsBaseline">Whether they are there to be beaten: pixels, or an untrained encoder.</param>
public sealed record LabelledFeatures(string Name, ClassificationSet Fit, TestSet Test, bool IsBaseline = false);

/// <summary>One kind of features with a number for each image: to fit on, and, sealed, to score on.</summary>
/// <param name="Name">What a person would call the features.</param>
/// <param name="Fit">What is fitted and chosen on.</param>
/// <param name="Test">What the result is scored on.</param>
/// <param name="IsBaseline">Whether they are there to be beaten: pixels, or an untrained encoder.</param>
public sealed record NumberedFeatures(string Name, RegressionSet Fit, RegressionTestSet Test, bool IsBaseline = false);
