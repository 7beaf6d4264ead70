/** What is seen until the model is there: the outline of the shell. */
import { Skeleton } from '@mantine/core';
import { Waiting } from '../shared/waiting.tsx';
import classes from './shell.module.css';

export function ShellSkeleton() {
  return (
    <Waiting className={classes['skeleton']}>
      <div className={classes['skeletonNav']}>
        {[110, 140, 96, 128, 120].map((width) => (
          <Skeleton key={width} h={16} w={width} />
        ))}
      </div>
      <div className={classes['skeletonMain']}>
        <Skeleton h={26} w={220} />
        {[1, 2, 3, 4, 5, 6, 7].map((row) => (
          <Skeleton key={row} h={18} />
        ))}
      </div>
    </Waiting>
  );
}
