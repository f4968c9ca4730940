/** `make down`: stops what `make up`, `make demo` or `make test` left running. */
import { progress } from '../process/progress.ts';
import { takePlatformDown } from './platform.ts';

await takePlatformDown(progress('down'));
