using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Runtime;

RuntimeTuning.Apply();
NativeEngine.TryLoad(); // what needs libtorch and has none says so
using var stop = StopSignals.Register();
return CommandLine.Run(args, Terminal.OfProcess(), stop);
