// Small programs of the rig: standard library only.
module cloudfreedom.de/e2e/programs

go 1.26
